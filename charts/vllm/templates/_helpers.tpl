{{/* Name of the application. */}}
{{- define "vllm.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Name of every object: the release's. A Service called "vllm" would put VLLM_PORT=tcp://… into the environment of
the pods of its namespace, and vLLM reads that variable.
*/}}
{{- define "vllm.fullname" -}}
{{- if eq .Release.Name "vllm" }}
{{- fail "choose another release name than \"vllm\": Kubernetes would set VLLM_PORT in the pods of the namespace" }}
{{- end }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Chart name and version. */}}
{{- define "vllm.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "vllm.labels" -}}
helm.sh/chart: {{ include "vllm.chart" . }}
{{ include "vllm.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels or annotations: a list of ours, as YAML, and further ones. A key has one value, and ours is it. */}}
{{- define "vllm.beside" -}}
{{- toYaml (merge (first . | fromYaml) (last .)) }}
{{- end }}

{{/* Labels that select the pods of this release. They cannot change after the first install. */}}
{{- define "vllm.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vllm.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels that select the pods that answer: of a server on several nodes, the first. */}}
{{- define "vllm.answeringLabels" -}}
{{ include "vllm.selectorLabels" . }}
{{- if include "vllm.grouped" . }}
leaderworkerset.sigs.k8s.io/worker-index: "0"
{{- end }}
{{- end }}

{{/* "true" where a server spans several nodes. */}}
{{- define "vllm.grouped" -}}
{{- if gt (int .Values.group.nodes) 1 }}true{{ end }}
{{- end }}
