{{/* Arguments of `vllm serve`, the model first: `--model` is deprecated there. */}}
{{- define "vllm.args" -}}
- {{ include "vllm.source" . | quote }}
- --served-model-name={{ .Values.model }}
- --port=8000
- --tensor-parallel-size={{ int .Values.engine.tensorParallelSize }}
{{- if gt (int .Values.engine.pipelineParallelSize) 1 }}
- --pipeline-parallel-size={{ int .Values.engine.pipelineParallelSize }}
{{- end }}
{{- if include "vllm.grouped" . }}
- --nnodes={{ int .Values.group.nodes }}
# The controller of LeaderWorkerSets sets these two variables.
- --node-rank=$(LWS_WORKER_INDEX)
- --master-addr=$(LWS_LEADER_ADDRESS)
- --distributed-timeout-seconds={{ int .Values.group.timeoutSeconds }}
- --cpu-distributed-timeout-seconds={{ int .Values.group.timeoutSeconds }}
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
{{- with .Values.engine.toolCallParser }}
- --enable-auto-tool-choice
- --tool-call-parser={{ . }}
{{- end }}
{{- with .Values.engine.reasoningParser }}
- --reasoning-parser={{ . }}
{{- end }}
{{- if include "vllm.chatTemplate" . }}
- --chat-template=/chat-template/{{ .Values.chatTemplate.key }}
{{- end }}
{{- with .Values.lora.adapters }}
- --enable-lora
- --max-loras={{ len . }}
- --max-lora-rank={{ int $.Values.lora.maxRank }}
- --lora-modules
{{- range . }}
- {{ printf "%s=%s" .name .source | quote }}
{{- end }}
{{- end }}
{{- with .Values.monitoring.tracesEndpoint }}
- --otlp-traces-endpoint={{ . }}
{{- end }}
{{- if eq .Values.weights.storage "bucket" }}
- --load-format=runai_streamer
{{- end }}
{{- end }}
