{{/* What the values change of configs/gateway.yaml, and over that gateway.config. It is derived from that file, so that no list of
its pipelines or extensions is kept here. */}}
{{- define "quantivista.gateway.overlay" -}}
{{- $shipped := .Files.Get "files/gateway.yaml" | fromYaml -}}
{{- $overlay := dict -}}
{{- with .Values.gateway.retention }}
{{- $retention := dict "time" .time }}
{{- with .size }}{{ $_ := set $retention "size" . }}{{ end }}
{{- $overlay = mergeOverwrite $overlay (dict "extensions" (dict "metric_store" (dict "retention" $retention))) }}
{{- end }}
{{- with .Values.gateway.externalURL }}
{{- $overlay = mergeOverwrite $overlay (dict "extensions" (dict "alertmanager" (dict "external_url" (printf "%s/alertmanager" (trimSuffix "/" .))))) }}
{{- end }}
{{- if .Values.tls.existingSecret }}
{{- $tls := dict "tls" (dict "cert_file" "/etc/quantivista/tls/tls.crt" "key_file" "/etc/quantivista/tls/tls.key") }}
{{- $overlay = mergeOverwrite $overlay (dict "receivers" (dict "otlp" (dict "protocols" (dict "grpc" $tls "http" (deepCopy $tls))))) }}
{{- end }}
{{- if .Values.serviceMonitor.enabled }}
{{- $overlay = mergeOverwrite $overlay (.Files.Get "files/telemetry.yaml" | fromYaml) }}
{{- end }}
{{- with .Values.remoteWrite }}
{{- if .enabled }}
{{- $query := dict "endpoint" .queryEndpoint }}
{{- $write := dict "endpoint" .writeEndpoint "wal" (dict "directory" "/var/lib/quantivista/remote-write") }}
{{- with .tenant }}
{{- $headers := dict "headers" (dict "X-Scope-OrgID" .) }}
{{- $query = merge $query $headers }}
{{- $write = merge $write (deepCopy $headers) }}
{{- end }}
{{- $extensions := $shipped.service.extensions }}
{{- if .basicAuth.existingSecret }}
{{- $auth := dict "auth" (dict "authenticator" "basicauth/remote_write") }}
{{- $query = merge $query $auth }}
{{- $write = merge $write (deepCopy $auth) }}
{{- $extensions = prepend $extensions "basicauth/remote_write" }}
{{- $overlay = mergeOverwrite $overlay (dict "extensions" (dict "basicauth/remote_write" (dict "client_auth" (dict "username" "${env:REMOTE_WRITE_USERNAME}" "password" "${env:REMOTE_WRITE_PASSWORD}")))) }}
{{- end }}
{{- $pipelines := dict }}
{{- range $name, $pipeline := $shipped.service.pipelines }}
{{- if has "metric_store" $pipeline.exporters }}
{{- $exporters := prepend (without $pipeline.exporters "metric_store") "prometheusremotewrite" }}
{{- $_ := set $pipelines $name (dict "exporters" $exporters) }}
{{- end }}
{{- end }}
{{- $overlay = mergeOverwrite $overlay (dict
  "extensions" (dict "metric_store" (dict "remote" $query))
  "exporters" (dict "prometheusremotewrite" $write)
  "service" (dict "extensions" $extensions "pipelines" $pipelines)) }}
{{- end }}
{{- end }}
{{- mergeOverwrite $overlay (deepCopy .Values.gateway.config) | toYaml -}}
{{- end -}}
