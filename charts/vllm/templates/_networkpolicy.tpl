{{/* Pods of a namespace; of the release's where none is named. */}}
{{- define "vllm.peer" -}}
podSelector: {{ if .podLabels }}{matchLabels: {{ toJson .podLabels }}}{{ else }}{}{{ end }}
{{- with .namespace }}
namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . | quote }}}}
{{- end }}
{{- end }}

{{/* The other nodes of a server: torch, NCCL and vLLM's queues choose their ports as they go. */}}
{{- define "vllm.groupPeer" -}}
{{- if include "vllm.grouped" . }}
- podSelector:
    matchLabels:
      {{- include "vllm.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* Names. */}}
{{- define "vllm.dnsEgress" -}}
- ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
{{- end }}

{{/* HTTPS to public addresses only: neither the cluster nor the cloud's metadata. */}}
{{- define "vllm.publicEgress" -}}
- ports: [{protocol: TCP, port: 443}]
  to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
    - ipBlock:
        cidr: ::/0
        except: ["fc00::/7", "fe80::/10"]
{{- end }}

{{/* Further destinations. */}}
{{- define "vllm.destinations" -}}
{{- range .Values.networkPolicy.destinations }}
- ports: [{protocol: TCP, port: {{ .port | default 443 | int }}}]
  to: [{ipBlock: {cidr: {{ .cidr | quote }}}}]
{{- end }}
{{- end }}
