{{/* What an autoscaler scales. */}}
{{- define "vllm.scaleTarget" -}}
apiVersion: apps/v1
kind: Deployment
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

{{/* Labels that Prometheus gives the series of this release's pods, whoever scrapes them. */}}
{{- define "vllm.series" -}}
{{- $middle := ternary "[0-9]+-deployment-[a-z0-9]+" "[a-z0-9]+" .Values.serverless.enabled -}}
namespace="{{ .Release.Namespace }}",pod=~"{{ include "vllm.fullname" . }}-{{ $middle }}-[a-z0-9]{5}"
{{- end }}
