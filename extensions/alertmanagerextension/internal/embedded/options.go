package embedded

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/client_golang/prometheus"
)

// dispatchMaintenanceInterval is Alertmanager's default of how often empty groups are dropped.
const dispatchMaintenanceInterval = 30 * time.Second

// maintenanceInterval is Alertmanager's default of how often silences and log entries beyond the retention are dropped.
const maintenanceInterval = 15 * time.Minute

// Options of an Engine. All are required but Cluster.
type Options struct {
	// ExternalURL is where people reach it; templates use it.
	ExternalURL *url.URL
	// Retention of silences after their end, and of the notification log.
	Retention time.Duration
	// AlertGCInterval is how often resolved alerts are dropped.
	AlertGCInterval time.Duration
	Limits          Limits
	Logger          *slog.Logger
	// Registry takes the metrics of this Engine, and of no other: a second one would collide.
	Registry *prometheus.Registry
	// NotificationLog gives what notifications are looked up in and written to, over the Engine's own.
	NotificationLog func(notify.NotificationLog) notify.NotificationLog
	// Send gives what sends by an integration of a receiver, over the integration itself, whose errors show no secrets.
	Send func(receiver string, i *notify.Integration, inner notify.Notifier) notify.Notifier
	// Flushing is given the alerts of a group before each of its turns, in the context of the pipeline, and gives those that
	// are to go through it.
	Flushing func(ctx context.Context, alerts []*types.Alert) []*types.Alert
	// SilenceChanged is called with each silence that is made, changed or expired here, in the form that Silences.Merge
	// takes. The silences are locked meanwhile: it must neither wait nor ask them.
	SilenceChanged func([]byte)
	Cluster        *Cluster
}

// Limits bound what an Engine holds. 0 is no limit, but for ConcurrentGets, where it is Alertmanager's default.
type Limits struct {
	Alerts           int
	AlertsPerName    int
	Groups           int
	Silences         int
	SilenceSizeBytes int
	ConcurrentGets   int
}

// Cluster has silences and the notification log gossiped among replicas.
type Cluster struct {
	ListenAddress    string
	AdvertiseAddress string
	Peers            []string
	PeerName         string
	Label            string
	PeerTimeout      time.Duration
	SettleTimeout    time.Duration
	GossipInterval   time.Duration
	PushPullInterval time.Duration
	TLSConfigFile    string
}
