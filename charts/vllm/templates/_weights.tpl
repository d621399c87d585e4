{{/* What vLLM loads: an address in object storage, a folder, or a name that is looked up in the hub's cache. */}}
{{- define "vllm.source" -}}
{{- with .Values.weights -}}
{{- if .uri }}{{ .uri }}
{{- else if .path }}/weights/{{ .path }}
{{- else if .image }}/weights
{{- else }}{{ $.Values.model }}
{{- end }}
{{- end }}
{{- end }}

{{/* "true" where a server downloads from the hub by itself. */}}
{{- define "vllm.fromHub" -}}
{{- with .Values.weights -}}
{{- if not (or .uri .path .image .download .offline) }}true{{ end }}
{{- end }}
{{- end }}

{{/* "true" where the weights' volume holds the model as it is, and is not written to. */}}
{{- define "vllm.readOnlyWeights" -}}
{{- if or .Values.weights.path .Values.weights.image }}true{{ end }}
{{- end }}

{{/* Where caches are written: beside the weights, unless their volume is read-only or there is none. */}}
{{- define "vllm.writable" -}}
{{- if or .Values.weights.uri (include "vllm.readOnlyWeights" .) }}/tmp{{ else }}/weights{{ end }}
{{- end }}

{{/* The claim that the chart makes, or the one that is named. */}}
{{- define "vllm.claim" -}}
{{- .Values.weights.claim | default (include "vllm.fullname" .) }}
{{- end }}

{{/* The weights' volume; none with a bucket, from which they are streamed. */}}
{{- define "vllm.weightsVolume" -}}
{{- with .Values.weights -}}
{{- if eq .storage "pvc" }}
- name: weights
  persistentVolumeClaim: {claimName: {{ include "vllm.claim" $ | quote }}}
{{- else if eq .storage "ephemeral" }}
- name: weights
  ephemeral:
    volumeClaimTemplate:
      metadata:
        labels:
          {{- include "vllm.selectorLabels" $ | nindent 10 }}
      spec:
        {{- include "vllm.claimSpec" (dict "weights" . "accessMode" "ReadWriteOnce") | nindent 8 }}
{{- else if eq .storage "image" }}
- name: weights
  image: {reference: {{ .image | quote }}, pullPolicy: IfNotPresent}
{{- else if eq .storage "emptyDir" }}
- name: weights
  emptyDir: {}
{{- end }}
{{- end }}
{{- end }}

{{/* Spec of a claim that holds the weights. */}}
{{- define "vllm.claimSpec" -}}
accessModes: [{{ .accessMode }}]
{{- with .weights.storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ printf "%dGi" (int .weights.sizeGib) }}
{{- end }}

{{/* The file that tells that the download is complete; another model has another one. */}}
{{- define "vllm.downloadMark" -}}
/weights/.complete-{{ .Values.model | sha256sum | trunc 10 }}
{{- end }}
