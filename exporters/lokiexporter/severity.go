package lokiexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// severity gives the short name of the severity's range, as OpenTelemetry has them: six values, whatever the text. A
// record without a number is judged by its text; "" is unknown.
func severity(record plog.LogRecord) string {
	if name := severityOfNumber(record.SeverityNumber()); name != "" {
		return name
	}
	return severityOfText(record.SeverityText())
}

func severityOfNumber(n plog.SeverityNumber) string {
	switch {
	case n < plog.SeverityNumberTrace || n > plog.SeverityNumberFatal4:
		return ""
	case n >= plog.SeverityNumberFatal:
		return "fatal"
	case n >= plog.SeverityNumberError:
		return "error"
	case n >= plog.SeverityNumberWarn:
		return "warn"
	case n >= plog.SeverityNumberInfo:
		return "info"
	case n >= plog.SeverityNumberDebug:
		return "debug"
	default:
		return "trace"
	}
}

// severityOfText knows the names of common loggers and of syslog.
func severityOfText(text string) string {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "trace", "finest", "finer", "verbose":
		return "trace"
	case "debug", "fine", "dbg":
		return "debug"
	case "info", "information", "informational", "notice", "config":
		return "info"
	case "warn", "warning":
		return "warn"
	case "error", "err", "severe":
		return "error"
	case "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic":
		return "fatal"
	default:
		return ""
	}
}
