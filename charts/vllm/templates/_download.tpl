{{/* Name of the Job and its policy. A Job cannot be changed, so another model or image has another one. */}}
{{- define "vllm.downloadName" -}}
{{- $what := list .Values.model (include "vllm.image" .) (include "vllm.claim" .) | join " " }}
{{- printf "%s-weights-%s" (include "vllm.fullname" . | trunc 44 | trimSuffix "-") ($what | sha256sum | trunc 10) }}
{{- end }}

{{/* Labels of the Job's pods: not the servers', so that no Service and no budget counts them. */}}
{{- define "vllm.downloadLabels" -}}
app.kubernetes.io/name: {{ include "vllm.name" . }}-weights
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}
