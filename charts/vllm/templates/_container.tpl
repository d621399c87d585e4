{{/* The vLLM server. Ports are numbers: Knative gives port names a meaning of its own. */}}
{{- define "vllm.container" -}}
name: vllm
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: IfNotPresent
command: [vllm, serve]
args:
  - {{ .Values.model | quote }}
  - --port=8000
  - --tensor-parallel-size={{ int .Values.engine.tensorParallelSize }}
  {{- if gt (int .Values.engine.pipelineParallelSize) 1 }}
  - --pipeline-parallel-size={{ int .Values.engine.pipelineParallelSize }}
  {{- end }}
  {{- with .Values.engine.quantization }}
  - --quantization={{ . }}
  {{- end }}
  {{- if ne .Values.engine.kvCacheDtype "auto" }}
  - --kv-cache-dtype={{ .Values.engine.kvCacheDtype }}
  {{- end }}
  - --max-model-len={{ int .Values.engine.maxModelLen }}
  - --gpu-memory-utilization={{ .Values.engine.gpuMemoryUtilization }}
  - --shutdown-timeout={{ int .Values.engine.shutdownTimeoutSeconds }}
env:
  {{- include "vllm.env" . | nindent 2 }}
ports:
  - containerPort: 8000
resources:
  requests:
    cpu: {{ .Values.resources.cpu | quote }}
    memory: {{ printf "%dGi" (int .Values.resources.memoryGib) }}
    ephemeral-storage: {{ printf "%dGi" (int .Values.resources.ephemeralStorageGib) }}
  limits:
    memory: {{ printf "%dGi" (int .Values.resources.memoryGib) }}
    nvidia.com/gpu: {{ int .Values.resources.gpus }}
# vLLM answers /health only once the model is loaded: the other two probes wait for this one.
startupProbe:
  httpGet: {path: /health, port: 8000}
  periodSeconds: {{ int .Values.startupProbe.periodSeconds }}
  timeoutSeconds: 5
  failureThreshold: {{ int .Values.startupProbe.failureThreshold }}
readinessProbe:
  httpGet: {path: /health, port: 8000}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /health, port: 8000}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
securityContext:
  runAsNonRoot: true
  runAsUser: 2000
  runAsGroup: 2000
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  - {name: shm, mountPath: /dev/shm}
  - {name: scratch, mountPath: /tmp}
  - {name: weights, mountPath: /weights}
{{- end }}

{{/* The image's user is root, so the other user's name and every folder that is written to are given here. */}}
{{- define "vllm.env" -}}
- {name: HOME, value: /tmp}
# Without a name, torch looks the user up in /etc/passwd and fails.
- {name: USER, value: vllm}
- {name: LOGNAME, value: vllm}
- {name: HF_HOME, value: /weights/huggingface}
# Chunks of downloads are of no use once the files are whole: not on the volume.
- {name: HF_XET_CACHE, value: /tmp/xet}
- {name: VLLM_CACHE_ROOT, value: /weights/vllm}
- {name: VLLM_NO_USAGE_STATS, value: "1"}
{{- with .Values.hubToken }}
{{- if .secretName }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretKey }}
{{- end }}
{{- end }}
{{- end }}
