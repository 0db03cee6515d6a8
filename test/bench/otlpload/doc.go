// Package otlpload makes and sends a fixed load of OTLP metrics, logs and spans: the same bytes on every run but for the
// time stamps. Requests are marshalled beforehand, so that sending costs the machine little.
package otlpload
