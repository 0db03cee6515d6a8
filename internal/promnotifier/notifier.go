package promnotifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"
)

// queue is Prometheus' default of --alertmanager.notification-queue-capacity.
const queue = 10_000

// Notifier sends to every Alertmanager of its Config. A nil one sends to nobody.
type Notifier struct {
	manager *notifier.Manager
	ran     sync.WaitGroup
}

// Start gives nil where there is nobody to send to. The metrics of a Notifier take a registry of their own.
func Start(c Config, externalLabels map[string]string, registry prometheus.Registerer, logger *slog.Logger) (*Notifier, error) {
	if c.Empty() {
		return nil, nil //nolint:nilnil // A nil Notifier is one that sends to nobody.
	}
	n := &Notifier{manager: notifier.NewManager(&notifier.Options{QueueCapacity: queue, Registerer: registry}, model.UTF8Validation, logger)}
	conf := promconfig.DefaultConfig
	conf.GlobalConfig.ExternalLabels = labels.FromMap(externalLabels)
	conf.GlobalConfig.MetricNameValidationScheme = model.UTF8Validation
	conf.AlertingConfig = c.alerting
	if err := n.manager.ApplyConfig(&conf); err != nil {
		return nil, fmt.Errorf(`"alertmanagers": %w`, err)
	}
	targets := make(chan map[string][]*targetgroup.Group)
	n.ran.Go(func() { n.manager.Run(targets) })
	// The manager drops what it is to send before it knows where to. It takes the second set once it has put the first
	// into force.
	targets <- c.targets()
	targets <- c.targets()
	return n, nil
}

// Send puts alerts into the queue, which drops its oldest where it is full, and does not wait.
func (n *Notifier) Send(alerts ...*notifier.Alert) {
	if n != nil && len(alerts) > 0 {
		n.manager.Send(alerts...)
	}
}

// Stop ends the sending. What waits is dropped: Alertmanagers get it again from the next start.
func (n *Notifier) Stop(ctx context.Context) error {
	if n == nil {
		return nil
	}
	n.manager.Stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.ran.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.New("an Alertmanager did not answer before the shutdown's end")
	}
}
