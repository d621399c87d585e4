{{/* The bill, and the same tokens at the API, as series. What is unknown has none. */}}
{{- define "vllm.costRules" -}}
{{- $rates := printf "(%s + %s)" (include "vllm.inputRate" .) (include "vllm.outputRate" .) -}}
- record: breakeven:tokens_per_second
  expr: {{ $rates | quote }}
  labels: {{ include "vllm.seriesLabels" . }}
{{- with .Values.monitoring.usdPerHour }}
- record: breakeven:usd_per_hour
  expr: vector({{ . }})
  labels: {{ include "vllm.seriesLabels" $ }}
# 0.0036: a million tokens an hour are 1 ÷ 0.0036 a second.
- record: breakeven:usd_per_million_tokens
  expr: {{ printf "%s / (%s * 0.0036 > 0)" . $rates | quote }}
  labels: {{ include "vllm.seriesLabels" $ }}
{{- end }}
{{- with .Values.monitoring.api }}
{{- if .comparator }}
{{- $usd := printf "(%s * %v + %s * %v)" (include "vllm.inputRate" $) .usdPerMillionInputTokens (include "vllm.outputRate" $) .usdPerMillionOutputTokens }}
- record: breakeven:api_usd_per_hour
  expr: {{ printf "%s * 0.0036" $usd | quote }}
  labels: {{ include "vllm.seriesLabels" $ }}
- record: breakeven:api_usd_per_million_tokens
  expr: {{ printf "%s / (%s > 0)" $usd $rates | quote }}
  labels: {{ include "vllm.seriesLabels" $ }}
{{- end }}
{{- end }}
{{- end }}
