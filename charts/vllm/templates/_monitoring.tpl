{{/* Labels of what the Prometheus operator reads. */}}
{{- define "vllm.monitoringLabels" -}}
{{- include "vllm.labels" . }}
{{- with omit .Values.monitoring.labels "app.kubernetes.io/name" "app.kubernetes.io/instance" "helm.sh/chart" }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of a recorded series. */}}
{{- define "vllm.seriesLabels" -}}
{namespace: {{ .Release.Namespace }}, release: {{ include "vllm.fullname" . }}, model_name: {{ .Values.model | quote }}}
{{- end }}

{{/* The same as a selector. */}}
{{- define "vllm.billSeries" -}}
namespace="{{ .Release.Namespace }}",release="{{ include "vllm.fullname" . }}"
{{- end }}

{{/* Tokens a second: input, output. */}}
{{- define "vllm.inputRate" -}}
sum(rate(vllm:prompt_tokens_total{{ printf "{%s}" (include "vllm.series" .) }}[5m]))
{{- end }}
{{- define "vllm.outputRate" -}}
sum(rate(vllm:generation_tokens_total{{ printf "{%s}" (include "vllm.series" .) }}[5m]))
{{- end }}

{{/* What one of 100, or every second, waits longer than: dict root, metric, quantile. */}}
{{- define "vllm.quantile" -}}
histogram_quantile({{ .quantile }}, sum by (le) (rate({{ .metric }}{{ printf "{%s}" (include "vllm.series" .root) }}[5m])))
{{- end }}
