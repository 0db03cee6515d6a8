package lokiexporter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
)

// remaining gives the records of the parcels, in their resources and scopes and in their order: what is to be sent
// again, and nothing that is stored.
func remaining(ld plog.Logs, parcels []parcel) plog.Logs {
	var positions []position
	for i := range parcels {
		for j := range parcels[i].streams {
			for k := range parcels[i].streams[j].lines {
				positions = append(positions, parcels[i].streams[j].lines[k].from)
			}
		}
	}
	if len(positions) == ld.LogRecordCount() {
		return ld
	}
	slices.SortFunc(positions, position.compare)

	left := plog.NewLogs()
	var rl plog.ResourceLogs
	var sl plog.ScopeLogs
	last := position{resource: -1, scope: -1}
	for _, p := range positions {
		resource := ld.ResourceLogs().At(p.resource)
		scope := resource.ScopeLogs().At(p.scope)
		if p.resource != last.resource {
			rl = left.ResourceLogs().AppendEmpty()
			rl.SetSchemaUrl(resource.SchemaUrl())
			resource.Resource().CopyTo(rl.Resource())
		}
		if p.resource != last.resource || p.scope != last.scope {
			sl = rl.ScopeLogs().AppendEmpty()
			sl.SetSchemaUrl(scope.SchemaUrl())
			scope.Scope().CopyTo(sl.Scope())
		}
		scope.LogRecords().At(p.record).CopyTo(sl.LogRecords().AppendEmpty())
		last = p
	}
	return left
}
