package promapi

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

const prometheusModule = "github.com/prometheus/prometheus"

// runtimeInfo tells of this process.
func runtimeInfo(o Options) func() (apiv1.RuntimeInfo, error) {
	return func() (apiv1.RuntimeInfo, error) {
		info := apiv1.RuntimeInfo{
			StartTime:           o.StartTime.UTC(),
			ServerTime:          time.Now().UTC(),
			ReloadConfigSuccess: true,
			LastConfigTime:      o.StartTime.UTC().Truncate(time.Second),
			GoroutineCount:      runtime.NumGoroutine(),
			GOMAXPROCS:          runtime.GOMAXPROCS(0),
			GOMEMLIMIT:          debug.SetMemoryLimit(-1),
			GOGC:                os.Getenv("GOGC"),
			GODEBUG:             os.Getenv("GODEBUG"),
			StorageRetention:    o.Retention,
		}
		var err error
		if info.CWD, err = os.Getwd(); err != nil {
			return info, fmt.Errorf("get the working directory: %w", err)
		}
		if info.Hostname, err = os.Hostname(); err != nil {
			return info, fmt.Errorf("get the host name: %w", err)
		}
		info.CorruptionCount, err = walCorruptions(o)
		return info, err
	}
}

func walCorruptions(o Options) (int64, error) {
	families, err := o.Gatherer.Gather()
	if err != nil {
		return 0, fmt.Errorf("gather the TSDB's metrics: %w", err)
	}
	for _, family := range families {
		if family.GetName() == "prometheus_tsdb_wal_corruptions_total" && len(family.GetMetric()) > 0 {
			return int64(family.GetMetric()[0].GetCounter().GetValue()), nil
		}
	}
	return 0, nil
}

// buildInfo tells which Prometheus this API is, as clients choose by it what they ask for.
func buildInfo() *apiv1.PrometheusVersion {
	version, revision := "unknown", "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range build.Deps {
			if dep.Path == prometheusModule {
				version, revision = prometheusVersion(dep.Version)
			}
		}
	}
	return &apiv1.PrometheusVersion{Version: version, Revision: revision, GoVersion: runtime.Version()}
}

// prometheusVersion turns a module version into Prometheus' own: the module of Prometheus 3.9.1 is v0.309.1,
// and of a commit after it v0.309.2-0.20260113170727-c7bc56cf6c8f, which becomes 3.9.2 of revision c7bc56cf6c8f.
func prometheusVersion(module string) (version, revision string) {
	release, pre, _ := strings.Cut(module, "-")
	var minor, patch int
	if _, err := fmt.Sscanf(release, "v0.%d.%d", &minor, &patch); err != nil {
		return strings.TrimPrefix(module, "v"), ""
	}
	if dash := strings.LastIndexByte(pre, '-'); dash >= 0 {
		revision = pre[dash+1:]
	}
	return fmt.Sprintf("%d.%d.%d", minor/100, minor%100, patch), revision
}
