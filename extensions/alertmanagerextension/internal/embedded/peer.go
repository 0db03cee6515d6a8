package embedded

import (
	"context"
	"time"
)

const (
	// leaveTimeout bounds the goodbye to other replicas.
	leaveTimeout = 2 * time.Second
	// reconnectInterval and reconnectTimeout are Alertmanager's defaults.
	reconnectInterval = 10 * time.Second
	reconnectTimeout  = 6 * time.Hour
)

// gossip shares silences and notifications with the other replicas, from Join on.
func (e *Engine) gossip() {
	notifications := e.peer.AddState("nfl", e.notifications, e.o.Registry)
	e.notifications.SetBroadcast(notifications.Broadcast)
	silences := e.peer.AddState("sil", e.silences, e.o.Registry)
	e.silences.SetBroadcast(func(change []byte) {
		silences.Broadcast(change)
		e.o.SilenceChanged(change)
	})
}

// Join the other replicas. Notifications wait until the cluster has settled. Without a cluster it does nothing.
func (e *Engine) Join() {
	if e.peer == nil {
		return
	}
	if err := e.peer.Join(reconnectInterval, reconnectTimeout); err != nil {
		e.o.Logger.Warn("No other replica can be reached yet", "err", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.o.Cluster.SettleTimeout)
	e.leaving = cancel
	e.background.Go(func() { e.peer.Settle(ctx, 10*e.o.Cluster.GossipInterval) })
}

// clusterWait gives replicas turns, by their position.
func (e *Engine) clusterWait() time.Duration {
	if e.peer == nil {
		return 0
	}
	return time.Duration(e.peer.Position()) * e.o.Cluster.PeerTimeout
}

// leave says goodbye. The library keeps its port until the process ends.
func (e *Engine) leave() error {
	if e.leaving != nil {
		e.leaving()
	}
	return e.peer.Leave(leaveTimeout)
}
