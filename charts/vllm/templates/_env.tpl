{{/*
Variables of every container that runs the image. Its user is root, so the other user's name and every folder that is
written to are given here.
*/}}
{{- define "vllm.userEnv" -}}
- {name: HOME, value: /tmp}
# Without a name, torch looks the user up in /etc/passwd and fails.
- {name: USER, value: vllm}
- {name: LOGNAME, value: vllm}
- {name: HF_HOME, value: {{ include "vllm.writable" . }}/huggingface}
# Chunks of downloads are of no use once the files are whole: not on the volume.
- {name: HF_XET_CACHE, value: /tmp/xet}
- {name: HF_HUB_DISABLE_TELEMETRY, value: "1"}
{{- end }}

{{/* Variables of the server. */}}
{{- define "vllm.env" -}}
{{ include "vllm.userEnv" . }}
- {name: VLLM_CACHE_ROOT, value: {{ if .Values.weights.compileCacheClaim }}/cache{{ else }}{{ include "vllm.writable" . }}{{ end }}/vllm}
- {name: VLLM_NO_USAGE_STATS, value: "1"}
{{- if include "vllm.fromHub" . }}
{{- include "vllm.hubTokenEnv" . }}
{{- else }}
- {name: HF_HUB_OFFLINE, value: "1"}
- {name: TRANSFORMERS_OFFLINE, value: "1"}
{{- end }}
{{- if .Values.monitoring.tracesEndpoint }}
# Whose traces they are; "unknown_service" otherwise.
- {name: OTEL_SERVICE_NAME, value: {{ include "vllm.fullname" . }}}
{{- end }}
{{- if include "vllm.grouped" . }}
# Where the other nodes find this one; else vLLM takes the address of the way to the internet, if there is one.
- name: VLLM_HOST_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- range $name, $value := .Values.group.environment }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
{{- with .Values.apiKey.secretName }}
- name: VLLM_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . | quote }}
      key: {{ $.Values.apiKey.secretKey | quote }}
{{- end }}
{{- end }}

{{/* The hub's token, for whoever downloads. */}}
{{- define "vllm.hubTokenEnv" -}}
{{- with .Values.hubToken.secretName }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ . | quote }}
      key: {{ $.Values.hubToken.secretKey | quote }}
{{- end }}
{{- end }}
