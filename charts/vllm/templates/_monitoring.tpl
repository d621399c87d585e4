{{/* Labels of what the Prometheus operator reads. */}}
{{- define "vllm.monitoringLabels" -}}
{{- include "vllm.beside" (list (include "vllm.labels" .) .Values.monitoring.labels) }}
{{- end }}

{{/* Labels of a recorded series. */}}
{{- define "vllm.seriesLabels" -}}
{namespace: {{ .Release.Namespace | quote }}, release: {{ include "vllm.fullname" . | quote }}, model_name: {{ .Values.model | quote }}}
{{- end }}

{{/* Labels of an alert, whose expression may have summed its own away: list root, severity. */}}
{{- define "vllm.alertLabels" -}}
{{- merge (dict "severity" (last .)) (include "vllm.seriesLabels" (first .) | fromYaml) | toJson }}
{{- end }}

{{/* The same as a selector. */}}
{{- define "vllm.billSeries" -}}
namespace="{{ .Release.Namespace }}",release="{{ include "vllm.fullname" . }}"
{{- end }}

{{/* The dashboard. In JSON the quotes of a query are escaped; Grafana takes at most 40 characters as its id. */}}
{{- define "vllm.dashboard" -}}
{{- $name := printf "%s in %s" (include "vllm.fullname" .) .Release.Namespace }}
{{- $series := include "vllm.series" . | replace "\"" "\\\"" }}
{{- $bill := include "vllm.billSeries" . | replace "\"" "\\\"" }}
{{- .Files.Get "files/dashboard.json" | replace "@SERIES@" $series | replace "@BILL@" $bill | replace "@NAME@" $name | replace "@UID@" ($name | sha256sum | trunc 40) }}
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
