{{/* Labels of the pods: those that select them, and what they cost and serve. */}}
{{- define "vllm.podLabels" -}}
{{ include "vllm.selectorLabels" . }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The parts of a pod that a Deployment and a Knative Service share: account, placement and volumes. */}}
{{- define "vllm.podSpec" -}}
serviceAccountName: {{ include "vllm.fullname" . }}
automountServiceAccountToken: false
# Variables such as VLLM_PORT=tcp://… from Services of the namespace would be read by vLLM.
enableServiceLinks: false
{{- with .Values.nodeSelectorTerms }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        {{- toYaml . | nindent 8 }}
{{- end }}
tolerations:
  - key: nvidia.com/gpu
    operator: Exists
    effect: NoSchedule
volumes:
  # The runtime's default of 64 MB is too small for NCCL.
  - name: shm
    emptyDir:
      medium: Memory
      sizeLimit: {{ printf "%dGi" (int .Values.resources.shmGib) }}
  - name: scratch
    emptyDir: {}
  - name: weights
    {{- if eq .Values.weights.storage "pvc" }}
    persistentVolumeClaim:
      claimName: {{ include "vllm.fullname" . }}
    {{- else }}
    emptyDir: {}
    {{- end }}
{{- end }}
