{{/* Which nodes may run a server, and what goes first. */}}
{{- define "vllm.placement" -}}
{{- with .Values.placement.priorityClass }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.placement.runtimeClass }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .Values.placement.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelectorTerms }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        {{- toYaml . | nindent 8 }}
{{- end }}
{{ include "vllm.tolerations" . }}
{{- with .Values.placement.spread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey | quote }}
    maxSkew: {{ .maxSkew | default 1 | int }}
    whenUnsatisfiable: {{ .whenUnsatisfiable | default "ScheduleAnyway" }}
    # Old and new servers of a change are counted apart.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "vllm.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The taint of GPU nodes, and further ones. */}}
{{- define "vllm.tolerations" -}}
tolerations:
  - key: nvidia.com/gpu
    operator: Exists
    effect: NoSchedule
  {{- with .Values.placement.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
