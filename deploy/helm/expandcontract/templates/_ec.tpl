{{/* What each pod has in common. Takes a dictionary: root, and command or script. */}}
{{- define "ec.pod" -}}
terminationGracePeriodSeconds: 30
{{- with .root.Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- else }}
automountServiceAccountToken: false
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: ec
    image: {{ .root.Values.image | quote }}
    {{- if .script }}
    command: ["sh", "-ec"]
    args:
      - |
        {{- .script | nindent 8 }}
    {{- else }}
    args: {{ .command | toJson }}
    {{- end }}
    env:
      - name: EC_DATABASE_URL
        valueFrom:
          secretKeyRef:
            name: {{ .root.Values.secret.name }}
            key: {{ .root.Values.secret.url }}
      - name: EC_WEBHOOK
        valueFrom:
          secretKeyRef:
            name: {{ .root.Values.secret.name }}
            key: {{ .root.Values.secret.webhook }}
            optional: true
    resources:
      {{- toYaml .root.Values.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: ["ALL"]
    volumeMounts:
      - name: tmp
        mountPath: /tmp
volumes:
  - name: tmp
    emptyDir: {}
{{- end }}

{{/* A Job that Helm waits for: where it fails, the upgrade or the rollback does. Takes: root, name, hook, script. */}}
{{- define "ec.hook" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .root.Release.Name }}-ec-{{ .name }}
  labels:
    app.kubernetes.io/name: ec-{{ .name }}
    app.kubernetes.io/instance: {{ .root.Release.Name }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "-5"
    # The one of the last time goes when the next begins; one that failed stays to be looked at.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  # 6 (another runner, a lock that nobody gave up, no server) may pass; whatever is left after that is somebody's work.
  backoffLimit: 3
  # Longer than lock_budget, 10 minutes by default; --timeout of Helm has to be longer, too.
  activeDeadlineSeconds: 1800
  podFailurePolicy:
    rules:
      # 1 an alert objects, 2 usage or configuration, 3 and 4 refused, 5 a backfill was cancelled, 7 a step failed,
      # 70 a fault: another attempt would end alike.
      - action: FailJob
        onExitCodes:
          containerName: ec
          operator: In
          values: [1, 2, 3, 4, 5, 7, 70]
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: "True"
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ec-{{ .name }}
        app.kubernetes.io/instance: {{ .root.Release.Name }}
    spec:
      restartPolicy: Never
      {{- include "ec.pod" . | nindent 6 }}
{{- end }}

{{/*
Ask for every colour that is to have traffic; on the colour of this release, for this very release: one that hasn't been
deployed yet, and may not be ready, is refused as unknown. Takes: root, option.
*/}}
{{- define "ec.checks" -}}
{{- range $colour, $weight := .root.Values.traffic }}
{{- if $weight }}
ec colour check {{ eq $colour $.root.Values.colour | ternary $.root.Values.release $colour }}{{ $.option }}
{{- end }}
{{- end }}
{{- end }}

{{/* Record who has the traffic. */}}
{{- define "ec.traffic" -}}
ec colour traffic
{{- range $colour, $weight := .Values.traffic }} {{ $colour }}={{ $weight }}{{ end }}
{{- end }}
