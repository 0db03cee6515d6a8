package optionalotlpexporter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// The protocols, named as OTEL_EXPORTER_OTLP_PROTOCOL names them.
const (
	protocolGRPC = "grpc"
	protocolHTTP = "http/protobuf"
)

// grpcPort is OTLP/gRPC's registered port. SDKs write http://host:4317 for gRPC, so that the scheme alone
// does not tell the protocol.
const grpcPort = "4317"

// Config of the optional_otlp exporter.
type Config struct {
	// Endpoint is host:port or an http or https URL. Empty drops everything.
	Endpoint string `mapstructure:"endpoint"`
	// Protocol is grpc or http/protobuf. Empty takes gRPC for host:port and for a URL with port 4317, else HTTP.
	Protocol string `mapstructure:"protocol"`
	// Path stands between the endpoint and /v1/traces or /v1/logs, over HTTP only. Loki's is /otlp.
	Path string `mapstructure:"path"`
	// Hint ends the log line that says that data is dropped: what to set, in the words of the user's setup.
	Hint string `mapstructure:"hint"`

	// Headers are sent with every request.
	Headers configopaque.MapList `mapstructure:"headers"`
	// TLS applies to https URLs, and to host:port unless TLS.Insecure is set.
	TLS configtls.ClientConfig `mapstructure:"tls"`
	// Auth names an authenticator extension.
	Auth configoptional.Optional[configauth.Config] `mapstructure:"auth"`
	// Timeout of one request.
	Timeout time.Duration `mapstructure:"timeout"`
	// Queue holds batches while the endpoint is slow or away.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// Retry of what the endpoint refused for now.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	switch c.Protocol {
	case "", protocolGRPC, protocolHTTP:
	default:
		errs = append(errs, fmt.Errorf("\"protocol\" must be %s, %s or empty (chosen from the endpoint), is %q",
			protocolGRPC, protocolHTTP, c.Protocol))
	}
	if c.Path != "" && !strings.HasPrefix(c.Path, "/") {
		errs = append(errs, fmt.Errorf("\"path\" must begin with a slash, is %q", c.Path))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("\"timeout\" must not be negative, is %s", c.Timeout))
	}
	if c.Endpoint == "" {
		return errors.Join(errs...)
	}
	if u, err := url.Parse(c.target()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The endpoint itself is not repeated: it may carry a password.
		errs = append(errs, errors.New("\"endpoint\" must be host:port or an http or https URL, such as http://localhost:4318"))
	} else if c.Path != "" && c.protocol() == protocolGRPC {
		errs = append(errs, errors.New("\"path\" applies to http/protobuf only: set \"protocol\" or leave it out"))
	}
	return errors.Join(errs...)
}

// target is the endpoint as a URL: one written as host:port gets the scheme that the TLS settings ask for.
func (c *Config) target() string {
	switch {
	case strings.Contains(c.Endpoint, "://"):
		return c.Endpoint
	case c.TLS.Insecure:
		return "http://" + c.Endpoint
	default:
		return "https://" + c.Endpoint
	}
}

// protocol gives the one to use for a valid, non-empty endpoint.
func (c *Config) protocol() string {
	if c.Protocol != "" {
		return c.Protocol
	}
	if !strings.Contains(c.Endpoint, "://") {
		return protocolGRPC
	}
	if u, err := url.Parse(c.Endpoint); err == nil && u.Port() == grpcPort {
		return protocolGRPC
	}
	return protocolHTTP
}
