{{/* What the values change of configs/gateway-tracing.yaml and configs/sampling.yaml, and over that the tier's config.
Takes (dict "root" $ "component" "front" "values" .Values.sampling.fronts). */}}
{{- define "quantivista.tracing.overlay" -}}
{{- $overlay := dict -}}
{{- with .root.Values.tls.existingSecret }}
{{- $overlay = mergeOverwrite $overlay (dict "exporters" (dict "otlp_grpc/gateway" (dict "tls" (dict "ca_file" "/etc/quantivista/tls/ca.crt")))) }}
{{- if eq $.component "front" }}
{{- $tls := dict "tls" (dict "cert_file" "/etc/quantivista/tls/tls.crt" "key_file" "/etc/quantivista/tls/tls.key") }}
{{- $overlay = mergeOverwrite $overlay (dict "receivers" (dict "otlp" (dict "protocols" (dict "grpc" $tls "http" (deepCopy $tls))))) }}
{{- end }}
{{- end }}
{{- if .root.Values.serviceMonitor.enabled }}
{{- $overlay = mergeOverwrite $overlay (.root.Files.Get "files/telemetry.yaml" | fromYaml) }}
{{- end }}
{{- mergeOverwrite $overlay (deepCopy .values.config) | toYaml -}}
{{- end -}}
