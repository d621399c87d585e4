{{/* The image, by tag and, where one is given, digest. */}}
{{- define "vllm.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion }}
{{- printf "%s:%s" .Values.image.repository $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* What Pod Security `restricted` asks of a container. */}}
{{- define "vllm.securityContext" -}}
runAsNonRoot: true
runAsUser: 2000
runAsGroup: 2000
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The vLLM server, or the leader of one on several nodes. */}}
{{- define "vllm.container" -}}
{{ include "vllm.engine" (dict "root" . "headless" false) }}
{{- end }}

{{/* Endpoints go on sending requests for some seconds after a pod began to stop. */}}
{{- define "vllm.preStop" -}}
lifecycle:
  preStop:
    sleep: {seconds: {{ int .Values.rollout.preStopSeconds }}}
{{- end }}

{{/*
vLLM on one node: dict root, headless. A headless one has no port, and its leader tells whether it is well. Ports are
numbers: Knative gives port names a meaning of its own.
*/}}
{{- define "vllm.engine" -}}
{{- with .root -}}
name: vllm
image: {{ include "vllm.image" . | quote }}
imagePullPolicy: IfNotPresent
command: [vllm, serve]
args:
  {{- include "vllm.args" . | nindent 2 }}
  {{- if $.headless }}
  - --headless
  {{- end }}
env:
  {{- include "vllm.env" . | nindent 2 }}
{{- with .Values.weights.secret }}
envFrom:
  - secretRef: {name: {{ . | quote }}}
{{- end }}
{{- if not $.headless }}
ports:
  - containerPort: 8000
{{- end }}
resources:
  requests:
    cpu: {{ .Values.resources.cpu | quote }}
    memory: {{ printf "%dGi" (int .Values.resources.memoryGib) }}
    ephemeral-storage: {{ printf "%dGi" (int .Values.resources.ephemeralStorageGib) }}
  limits:
    memory: {{ printf "%dGi" (int .Values.resources.memoryGib) }}
    nvidia.com/gpu: {{ int .Values.resources.gpus }}
{{- if not $.headless }}
# vLLM answers /health only once the model is loaded: the other two probes wait for this one.
startupProbe:
  {{- include "vllm.probe" .Values.probes.startup | nindent 2 }}
readinessProbe:
  {{- include "vllm.probe" .Values.probes.readiness | nindent 2 }}
livenessProbe:
  {{- include "vllm.probe" .Values.probes.liveness | nindent 2 }}
{{- end }}
securityContext:
  {{- include "vllm.securityContext" . | nindent 2 }}
volumeMounts:
  - {name: shm, mountPath: /dev/shm}
  - {name: scratch, mountPath: /tmp}
  {{- if not .Values.weights.uri }}
  - {name: weights, mountPath: /weights{{ if include "vllm.readOnlyWeights" . }}, readOnly: true{{ end }}}
  {{- end }}
  {{- if include "vllm.chatTemplate" . }}
  - {name: chat-template, mountPath: /chat-template, readOnly: true}
  {{- end }}
  {{- if .Values.weights.compileCacheClaim }}
  - {name: cache, mountPath: /cache}
  {{- end }}
{{- end }}
{{- end }}

{{/* A probe of /health. */}}
{{- define "vllm.probe" -}}
httpGet: {path: /health, port: 8000}
periodSeconds: {{ int .periodSeconds }}
timeoutSeconds: {{ int .timeoutSeconds }}
failureThreshold: {{ int .failureThreshold }}
{{- end }}

{{/* Waits for the Job that downloads the weights. */}}
{{- define "vllm.waitContainer" -}}
name: wait-for-weights
image: {{ include "vllm.image" . | quote }}
imagePullPolicy: IfNotPresent
command: [sh, -c, 'until test -e {{ include "vllm.downloadMark" . }}; do sleep 5; done']
resources:
  requests: {cpu: 10m, memory: 32Mi}
  limits: {memory: 32Mi}
securityContext:
  {{- include "vllm.securityContext" . | nindent 2 }}
volumeMounts:
  - {name: weights, mountPath: /weights, readOnly: true}
{{- end }}
