{{/* What the values change of configs/agent.yaml, and over that agent.config. */}}
{{- define "quantivista.agent.overlay" -}}
{{- $overlay := dict -}}
{{- if and .Values.tls.existingSecret (not .Values.agent.gateway.endpoint) }}
{{- $overlay = mergeOverwrite $overlay (dict "exporters" (dict "otlp_grpc/gateway" (dict "tls" (dict "ca_file" "/etc/quantivista/tls/ca.crt")))) }}
{{- end }}
{{- if .Values.agent.hostNetwork }}
{{- $network := dict "exclude" (dict "match_type" "regexp" "interfaces" (list "lo" "veth.*" "cali.*" "lxc.*")) }}
{{- $overlay = mergeOverwrite $overlay (dict "receivers" (dict "hostmetrics" (dict "scrapers" (dict "network" $network)))) }}
{{- end }}
{{- if .Values.serviceMonitor.enabled }}
{{- $overlay = mergeOverwrite $overlay (.Files.Get "files/telemetry.yaml" | fromYaml) }}
{{- end }}
{{- mergeOverwrite $overlay (deepCopy .Values.agent.config) | toYaml -}}
{{- end -}}
