{{- define "quantivista.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of a component; they never change. Takes (dict "root" $ "component" "agent"). */}}
{{- define "quantivista.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "quantivista.labels" -}}
{{ include "quantivista.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "quantivista.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Half of the memory limit for Go's heap (docs/performance.md), where the limit is in Mi or Gi. Takes resources. */}}
{{- define "quantivista.gomemlimit" -}}
{{- $limit := dig "limits" "memory" "" . | toString -}}
{{- if hasSuffix "Gi" $limit -}}
{{ printf "%dMiB" (mulf (trimSuffix "Gi" $limit | float64) 512 | int64) }}
{{- else if hasSuffix "Mi" $limit -}}
{{ printf "%dMiB" (divf (trimSuffix "Mi" $limit | float64) 2 | int64) }}
{{- end -}}
{{- end -}}

{{/* Environment that all tiers have. Takes (dict "root" $ "values" .Values.agent). */}}
{{- define "quantivista.env" -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- name: LISTEN_HOST
  value: "[$(POD_IP)]"
- name: DATA_DIR
  value: /var/lib/quantivista
{{- with include "quantivista.gomemlimit" .values.resources }}
- name: GOMEMLIMIT
  value: {{ . }}
{{- end }}
{{- with .values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "quantivista.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Of every pod but the agent's. */}}
{{- define "quantivista.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Spread over zones and nodes, where there are several. Takes what quantivista.selector takes. */}}
{{- define "quantivista.spread" -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "quantivista.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Where a pod may run. Takes the values of a tier. */}}
{{- define "quantivista.placement" -}}
{{- range $key := list "nodeSelector" "affinity" "tolerations" }}
{{- with get $ $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of the tier that samples: the gateway, or the samplers. */}}
{{- define "quantivista.samplingEnv" -}}
{{- with .Values.sampling -}}
- name: SLOW_THRESHOLD
  value: {{ .slowThreshold | quote }}
- name: SAMPLING_PERCENTAGE
  value: {{ .percentage | quote }}
- name: SAMPLING_SPANS_PER_SECOND
  value: {{ .spansPerSecond | quote }}
{{- end -}}
{{- end -}}

{{/* Where agents send: the front, where traces have a sampling tier, else the gateway. */}}
{{- define "quantivista.gatewayEndpoint" -}}
{{- default (printf "%s-%s.%s:4317" (include "quantivista.fullname" .) (ternary "front" "gateway" .Values.sampling.enabled) .Release.Namespace) .Values.agent.gateway.endpoint -}}
{{- end -}}
