{{/* What an autoscaler scales. */}}
{{- define "vllm.scaleTarget" -}}
{{- if include "vllm.grouped" . }}
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
{{- else }}
apiVersion: apps/v1
kind: Deployment
{{- end }}
name: {{ include "vllm.fullname" . }}
{{- end }}

{{/* Servers may double in the time that one takes to start, and go one by one. */}}
{{- define "vllm.scalingBehavior" -}}
scaleUp:
  policies:
    - {type: Percent, value: 100, periodSeconds: {{ int .Values.autoscaler.scaleUpSeconds }}}
scaleDown:
  stabilizationWindowSeconds: {{ int .Values.autoscaler.scaleDownSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 60}
{{- end }}

{{/* How many servers Knative may run, and how long it waits for one. */}}
{{- define "vllm.knativeBounds" -}}
autoscaling.knative.dev/min-scale: {{ int .Values.serverless.minReplicas | quote }}
autoscaling.knative.dev/max-scale: {{ int .Values.replicas | quote }}
serving.knative.dev/progress-deadline: {{ printf "%ds" (int .Values.rollout.progressDeadlineSeconds) | quote }}
{{- end }}

{{/*
Labels that Prometheus gives the series of this release's pods, whoever scrapes them. Kubernetes cuts a pod's name at 58
characters before it adds the last five: of Knative's long ones "-deployment" may not be whole.
*/}}
{{- define "vllm.series" -}}
{{- $rest := ternary "[0-9]+-deploy[a-z0-9-]+" "[a-z0-9]+-[a-z0-9]{5}" .Values.serverless.enabled -}}
{{- if include "vllm.grouped" . }}{{ $rest = "[0-9]+" }}{{ end -}}
namespace="{{ .Release.Namespace }}",pod=~"{{ include "vllm.fullname" . }}-{{ $rest }}"
{{- end }}
