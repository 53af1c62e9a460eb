{{- define "eyas.name" -}}
{{- printf "%s" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "eyas.labels" -}}
app.kubernetes.io/name: eyas
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "eyas.selector" -}}
app.kubernetes.io/name: eyas
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "eyas.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "eyas.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}
