package alertmanagerextension

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.yaml.in/yaml/v2"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
)

// Config of the alertmanager extension.
type Config struct {
	// ConfigFile is the path of an alertmanager.yml, Inline the same in place. One of them is set.
	ConfigFile string         `mapstructure:"config_file"`
	Inline     map[string]any `mapstructure:"config"`
	// ReloadInterval is how often the file and its templates are looked at.
	ReloadInterval time.Duration `mapstructure:"reload_interval"`
	// ExternalURL is where people reach the Alertmanager; messages link to it.
	ExternalURL string `mapstructure:"external_url"`

	// SQLStore is the sql_store extension that keeps silences and the notification log, and knows the alerts that
	// fired before a restart; empty for none.
	SQLStore component.ID `mapstructure:"sql_store"`
	// SyncInterval is how often changes that other replicas made in the store are looked for.
	SyncInterval time.Duration `mapstructure:"sync_interval"`
	// RestoreTimeout is how long a start waits for a store that is away before it goes on without.
	RestoreTimeout time.Duration `mapstructure:"restore_timeout"`

	// Retention of silences after their end, and of the notification log.
	Retention time.Duration `mapstructure:"retention"`
	// LedgerRetention is how long it is known who was notified of what, behind the last attempt.
	LedgerRetention time.Duration `mapstructure:"ledger_retention"`
	// AlertGCInterval is how often resolved alerts are dropped.
	AlertGCInterval time.Duration                          `mapstructure:"alert_gc_interval"`
	Limits          LimitsConfig                           `mapstructure:"limits"`
	Cluster         configoptional.Optional[ClusterConfig] `mapstructure:"cluster"`
}

// LimitsConfig bounds what is held; 0 is no limit.
type LimitsConfig struct {
	Alerts             int `mapstructure:"alerts"`
	AlertsPerName      int `mapstructure:"alerts_per_name"`
	Groups             int `mapstructure:"groups"`
	Silences           int `mapstructure:"silences"`
	SilenceSizeBytes   int `mapstructure:"silence_size_bytes"`
	ConcurrentRequests int `mapstructure:"concurrent_requests"`
}

// ClusterConfig has replicas without a common store gossip, as Alertmanagers do.
type ClusterConfig struct {
	ListenAddress    string        `mapstructure:"listen_address"`
	AdvertiseAddress string        `mapstructure:"advertise_address"`
	Peers            []string      `mapstructure:"peers"`
	PeerName         string        `mapstructure:"peer_name"`
	Label            string        `mapstructure:"label"`
	PeerTimeout      time.Duration `mapstructure:"peer_timeout"`
	SettleTimeout    time.Duration `mapstructure:"settle_timeout"`
	GossipInterval   time.Duration `mapstructure:"gossip_interval"`
	PushPullInterval time.Duration `mapstructure:"push_pull_interval"`
	TLSConfigFile    string        `mapstructure:"tls_config_file"`
}

// Validate names every fault by its key. It reads no file.
func (c *Config) Validate() error {
	var errs []error
	switch {
	case c.ConfigFile == "" && len(c.Inline) == 0:
		errs = append(errs, errors.New(`"config_file" must be the path of an alertmanager.yml, or "config" its content`))
	case c.ConfigFile != "" && len(c.Inline) > 0:
		errs = append(errs, errors.New(`"config_file" and "config" must not both be set`))
	case c.ConfigFile == "":
		_, err := c.inline()
		errs = append(errs, err)
	}
	if u, err := url.Parse(c.ExternalURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, fmt.Errorf(`"external_url" must be a URL such as http://localhost:8090/alertmanager, is %q`, c.ExternalURL))
	}
	for key, d := range map[string]time.Duration{
		"reload_interval": c.ReloadInterval, "sync_interval": c.SyncInterval, "retention": c.Retention, "ledger_retention": c.LedgerRetention, "alert_gc_interval": c.AlertGCInterval,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, is %s", key, d))
		}
	}
	if c.RestoreTimeout < 0 {
		errs = append(errs, fmt.Errorf(`"restore_timeout" must not be negative, is %s`, c.RestoreTimeout))
	}
	return errors.Join(append(errs, c.Limits.validate())...)
}

func (c *LimitsConfig) validate() error {
	var errs []error
	for key, n := range map[string]int{
		"alerts": c.Alerts, "alerts_per_name": c.AlertsPerName, "groups": c.Groups, "silences": c.Silences,
		"silence_size_bytes": c.SilenceSizeBytes, "concurrent_requests": c.ConcurrentRequests,
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf(`"limits::%s" must be 0 for no limit, or positive, is %d`, key, n))
		}
	}
	return errors.Join(errs...)
}

// Validate names every fault by its key.
func (c *ClusterConfig) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
		errs = append(errs, fmt.Errorf(`"listen_address" must be an address such as 0.0.0.0:9094, is %q`, c.ListenAddress))
	}
	if c.AdvertiseAddress != "" {
		if _, _, err := net.SplitHostPort(c.AdvertiseAddress); err != nil {
			errs = append(errs, fmt.Errorf(`"advertise_address" must be an address such as 10.0.0.7:9094, is %q`, c.AdvertiseAddress))
		}
	}
	for i, peer := range c.Peers {
		if _, _, err := net.SplitHostPort(peer); err != nil {
			errs = append(errs, fmt.Errorf(`"peers::%d" must be an address such as alertmanager-1:9094, is %q`, i, peer))
		}
	}
	for key, d := range map[string]time.Duration{
		"peer_timeout": c.PeerTimeout, "settle_timeout": c.SettleTimeout, "gossip_interval": c.GossipInterval, "push_pull_interval": c.PushPullInterval,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, is %s", key, d))
		}
	}
	return errors.Join(errs...)
}

// inline reads "config".
func (c *Config) inline() (*embedded.Configuration, error) {
	text, err := yaml.Marshal(c.Inline)
	if err != nil {
		return nil, fmt.Errorf(`"config": %w`, err)
	}
	return embedded.Parse(string(text))
}

// load reads what is configured.
func (c *Config) load() (*embedded.Configuration, error) {
	if c.ConfigFile != "" {
		return embedded.ParseFile(c.ConfigFile)
	}
	return c.inline()
}
