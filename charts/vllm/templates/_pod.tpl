{{/* Labels of the pods: those that select them, what they cost and serve, and further ones. */}}
{{- define "vllm.podLabels" -}}
{{- $selecting := include "vllm.selectorLabels" . | fromYaml }}
{{- toYaml (mergeOverwrite (deepCopy .Values.pod.labels) .Values.podLabels $selecting) }}
{{- end }}

{{/* Annotations of the pods; empty if there is none. A change of one, or of what the chart mounts, rolls the servers. */}}
{{- define "vllm.podAnnotations" -}}
{{- $ours := dict }}
{{- with .Values.chatTemplate.template }}{{ $ours = dict "checksum/chat-template" (sha256sum .) }}{{ end }}
{{- with merge $ours .Values.pod.annotations }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* The ConfigMap of the chat template, made here or elsewhere; empty if there is none. */}}
{{- define "vllm.chatTemplate" -}}
{{- if .Values.chatTemplate.template }}{{ include "vllm.fullname" . | trunc 49 | trimSuffix "-" }}-chat-template
{{- else }}{{ .Values.chatTemplate.configMap }}
{{- end }}
{{- end }}

{{/* Labels and annotations of a pod template. */}}
{{- define "vllm.podMetadata" -}}
labels:
  {{- include "vllm.podLabels" . | nindent 2 }}
{{- with include "vllm.podAnnotations" . | trim }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The parts of a pod that all kinds of servers share: account, placement and volumes. */}}
{{- define "vllm.podSpec" -}}
serviceAccountName: {{ include "vllm.fullname" . }}
automountServiceAccountToken: false
# Variables such as VLLM_PORT=tcp://… from Services of the namespace would be read by vLLM.
enableServiceLinks: false
{{- include "vllm.pullSecrets" . }}
{{- include "vllm.placement" . }}
{{- if .Values.weights.download }}
initContainers:
  - {{ include "vllm.waitContainer" . | nindent 4 | trim }}
{{- end }}
volumes:
  # The runtime's default of 64 MB is too small for NCCL.
  - name: shm
    emptyDir:
      medium: Memory
      sizeLimit: {{ printf "%dGi" (int .Values.resources.shmGib) }}
  - name: scratch
    emptyDir: {}
  {{- with include "vllm.weightsVolume" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "vllm.chatTemplate" . }}
  - name: chat-template
    configMap: {name: {{ . | quote }}}
  {{- end }}
  {{- with .Values.weights.compileCacheClaim }}
  - name: cache
    persistentVolumeClaim: {claimName: {{ . | quote }}}
  {{- end }}
{{- end }}

{{/* What Knative sets by itself: owners of files, and the time to stop. */}}
{{- define "vllm.podLife" -}}
securityContext: {fsGroup: 2000, fsGroupChangePolicy: OnRootMismatch}
terminationGracePeriodSeconds: {{ int .Values.rollout.terminationGracePeriodSeconds }}
{{- end }}

{{/* Secrets of the registry. */}}
{{- define "vllm.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}
