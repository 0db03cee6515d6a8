package lokiexporter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadata"
)

// lokiExporter sends logs to Loki.
type lokiExporter struct {
	cfg       *Config
	set       exporter.Settings
	telemetry *metadata.TelemetryBuilder
	guard     *guard
	refusals  tallyLog
	now       func() time.Time

	names  sync.Pool // of *namer
	pusher *pusher
}

func newLokiExporter(cfg *Config, set exporter.Settings) (*lokiExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &lokiExporter{
		cfg: cfg, set: set, telemetry: telemetry,
		guard: newGuard(cfg, set.Logger), refusals: tallyLog{logger: set.Logger}, now: time.Now,
	}
	err = telemetry.RegisterExporterLokiLabelValuesCallback(func(_ context.Context, o metric.Int64Observer) error {
		e.guard.each(func(label string, values int) { o.Observe(int64(values), one("label", label)) })
		return nil
	})
	return e, err
}

func (e *lokiExporter) start(ctx context.Context, host component.Host) error {
	client, err := e.cfg.ToClient(ctx, host.GetExtensions(), e.set.TelemetrySettings)
	if err != nil {
		return err
	}
	url, err := pushURL(e.cfg.Endpoint)
	if err != nil {
		return err
	}
	e.pusher = &pusher{client: client, url: url, userAgent: e.set.BuildInfo.Command + "/" + e.set.BuildInfo.Version}
	return nil
}

func (e *lokiExporter) shutdown(context.Context) error {
	e.telemetry.Shutdown()
	if e.pusher != nil {
		e.pusher.client.CloseIdleConnections()
	}
	return nil
}

// consume sends the records. What Loki refuses for good is counted and dropped; an error carries the records that are
// left to be sent, and no others. It is permanent where no record could be stored.
func (e *lokiExporter) consume(ctx context.Context, ld plog.Logs) error {
	refused := newTally()
	defer func() {
		refused.record(ctx, e.telemetry)
		e.refusals.log(refused, e.now())
	}()
	left, err := e.deliver(ctx, e.convert(ctx, ld), refused)
	switch {
	case err != nil:
		return consumererror.NewLogs(err, remaining(ld, left))
	case refused.total() > 0 && refused.total() == ld.LogRecordCount():
		return consumererror.NewPermanent(fmt.Errorf("%w: %s", errAllRefused, refused))
	default:
		return nil
	}
}

func (e *lokiExporter) convert(ctx context.Context, ld plog.Logs) []parcel {
	names, ok := e.names.Get().(*namer)
	if !ok {
		names = newNamer()
	}
	defer e.names.Put(names)
	c := newConverter(e.cfg, e.guard, names, e.now())
	parcels := pack(c.convert(ld), e.cfg.Limits.PushSize)
	for label, n := range c.demoted {
		e.telemetry.ExporterLokiDemotedLogRecords.Add(ctx, n, one("label", label))
	}
	for part, n := range map[string]int64{"line": c.fit.lines, "structured_metadata": c.fit.metadatas} {
		if n > 0 {
			e.telemetry.ExporterLokiTruncatedLogRecords.Add(ctx, n, one("part", part))
		}
	}
	return parcels
}

// deliver pushes one parcel after another, in halves where Loki refuses one as a whole, and gives those that are left
// where it must stop.
func (e *lokiExporter) deliver(ctx context.Context, parcels []parcel, refused *tally) (left []parcel, err error) {
	for len(parcels) > 0 {
		p := &parcels[0]
		a, err := e.pusher.push(ctx, p)
		if err != nil {
			return parcels, err
		}
		e.telemetry.ExporterLokiPushedBytes.Add(ctx, int64(a.sent))
		verdict, counts := judge(a, p)
		switch {
		case verdict == refuse && p.size() > 1:
			first, second := p.halves()
			parcels = append([]parcel{first, second}, parcels[1:]...)
			continue
		case verdict == partly, verdict == refuse:
			refused.add(counts, a.String())
		case verdict == sendAgain:
			return parcels, later(a, e.now())
		}
		parcels = parcels[1:]
	}
	return nil, nil
}
