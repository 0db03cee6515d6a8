-- Why a service has its status, and when a sample last told of it.
ALTER TABLE service_health ADD COLUMN reasons TEXT NOT NULL DEFAULT '[]';
--bun:split
ALTER TABLE service_health ADD COLUMN last_seen_at TIMESTAMP;
