/**
 * The catalog's tables, as numbered steps. A step that was released is never edited: a change is a new step at
 * the end. `PRAGMA user_version` holds the number of the last step that a database has seen.
 *
 * Columns are named after the fields of `Transfer`; what is not there:
 * - `id`: the number behind IDTU. AUTOINCREMENT, so that a purged number never comes back.
 * - `state`: the one-letter state, `stepNote`: the step of the spool note; both follow from other columns.
 * - `owner`, `lease`: who works on the record, and since when.
 */
export const MIGRATIONS: readonly string[] = [
  /* 1 */ `
  CREATE TABLE transfer (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= 99999999),
    direct TEXT NOT NULL CHECK (direct IN ('send', 'recv')),
    type TEXT NOT NULL DEFAULT 'file',
    part TEXT NOT NULL,
    idf TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('requester', 'server')),
    phase TEXT NOT NULL CHECK (phase IN ('A', 'T', 'Y', 'Z', 'X')),
    phasestep TEXT NOT NULL CHECK (phasestep IN ('D', 'H', 'C', 'K', 'X')),
    state TEXT NOT NULL GENERATED ALWAYS AS (CASE phase WHEN 'T' THEN phasestep ELSE phase END) VIRTUAL,
    ack TEXT NOT NULL DEFAULT '' CHECK (ack IN ('', 'A', 'N')),
    diagi INTEGER NOT NULL DEFAULT 0,
    diagp TEXT NOT NULL DEFAULT '',
    diagc TEXT NOT NULL DEFAULT '',
    dsn TEXT NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL,
    orig TEXT NOT NULL,
    dest TEXT NOT NULL,
    fname TEXT NOT NULL,
    nfname TEXT NOT NULL,
    description TEXT NOT NULL,
    filesize INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    prot TEXT NOT NULL DEFAULT '',
    kdate INTEGER NOT NULL,
    bdate INTEGER,
    edate INTEGER,
    workfile TEXT NOT NULL DEFAULT '',
    spool TEXT,
    stepNote TEXT GENERATED ALWAYS AS (json_extract(spool, '$.step')) VIRTUAL,
    format TEXT NOT NULL CHECK (format IN ('U', 'T', 'F', 'V')),
    lrecl INTEGER NOT NULL,
    pri INTEGER NOT NULL,
    ackstate TEXT NOT NULL CHECK (ackstate IN ('require', 'ignore')),
    tries INTEGER NOT NULL DEFAULT 0,
    retryAt INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease INTEGER
  ) STRICT;

  -- One record for each file identity and direction (RFC 5024 section 1.5.2).
  CREATE UNIQUE INDEX transfer_identity ON transfer (direct, orig, dest, dsn, date, time);

  -- Lists, newest first. Ended records are nearly all of a catalog, so only the others are indexed by state.
  CREATE INDEX transfer_date ON transfer (direct, kdate);
  CREATE INDEX transfer_part ON transfer (direct, part, kdate);
  CREATE INDEX transfer_idf ON transfer (direct, idf, kdate);
  CREATE INDEX transfer_state ON transfer (direct, state, kdate) WHERE phase <> 'X';
  CREATE INDEX transfer_part_state ON transfer (direct, part, state, kdate) WHERE phase <> 'X';
  CREATE INDEX transfer_ended ON transfer (direct, edate) WHERE phase = 'X';

  -- Sends that wait, in the order in which they are taken, and by the time of their next attempt.
  CREATE INDEX send_waiting ON transfer (part, pri DESC, id, retryAt)
    WHERE direct = 'send' AND phase = 'T' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim';
  CREATE INDEX send_retry ON transfer (part, retryAt)
    WHERE direct = 'send' AND phase = 'T' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim';

  CREATE INDEX transfer_running ON transfer (direct, owner) WHERE phasestep = 'C';
  CREATE INDEX spool_noted ON transfer (id) WHERE stepNote IN ('claim', 'deliver');
  CREATE INDEX spool_received ON transfer (id) WHERE direct = 'recv' AND phase = 'Y';
  CREATE INDEX spool_unsettled ON transfer (id) WHERE direct = 'send' AND phase = 'X' AND workfile <> '';

  -- Records by direction and state, kept by triggers: counting a million records takes too long for a status.
  CREATE TABLE tally (
    direct TEXT NOT NULL, state TEXT NOT NULL, records INTEGER NOT NULL, PRIMARY KEY (direct, state)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER tally_insert AFTER INSERT ON transfer BEGIN
    INSERT INTO tally VALUES (new.direct, new.state, 1)
      ON CONFLICT DO UPDATE SET records = records + 1;
  END;
  CREATE TRIGGER tally_delete AFTER DELETE ON transfer BEGIN
    UPDATE tally SET records = records - 1 WHERE direct = old.direct AND state = old.state;
  END;
  CREATE TRIGGER tally_update AFTER UPDATE OF phase, phasestep ON transfer WHEN new.state <> old.state BEGIN
    UPDATE tally SET records = records - 1 WHERE direct = old.direct AND state = old.state;
    INSERT INTO tally VALUES (new.direct, new.state, 1)
      ON CONFLICT DO UPDATE SET records = records + 1;
  END;

  -- The end-to-end response of each finished receive.
  CREATE TABLE response (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transfer INTEGER NOT NULL UNIQUE REFERENCES transfer (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('EERP', 'NERP')),
    part TEXT NOT NULL,
    dsn TEXT NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL,
    orig TEXT NOT NULL,
    dest TEXT NOT NULL,
    reason INTEGER NOT NULL,
    text TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1)),
    owner TEXT
  ) STRICT;
  CREATE INDEX response_waiting ON response (part, id) WHERE sent = 0 AND owner IS NULL;
  CREATE INDEX response_unsent ON response (transfer) WHERE sent = 0;

  CREATE TABLE partner (
    part TEXT PRIMARY KEY,
    tries INTEGER NOT NULL,
    nextCallAt INTEGER NOT NULL,
    diagi INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The last counter given out in each second (CCYYMMDDHHMMSS): identities stay unique whatever the clock does.
  CREATE TABLE stamp (second TEXT PRIMARY KEY, counter INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  -- Which process has the catalog open for writing.
  CREATE TABLE holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL) STRICT;
  `,

  `
  -- Octets of the form in which a send goes over the line, where that is another file than the local one; -1 = none.
  ALTER TABLE transfer ADD COLUMN formsize INTEGER NOT NULL DEFAULT -1;
  `,
  `
  -- File security of OFTP 2.0 (JSON), and the hash of the octets on the line that end-to-end responses are signed over.
  ALTER TABLE transfer ADD COLUMN security TEXT;
  ALTER TABLE transfer ADD COLUMN linehash TEXT NOT NULL DEFAULT '';
  `,
  `
  -- Sends that wait for their partner to call (STATE = HOLD), in the order in which they are offered.
  CREATE INDEX send_held ON transfer (part, pri DESC, id)
    WHERE direct = 'send' AND phase = 'T' AND phasestep = 'H' AND diagi = 0 AND owner IS NULL AND stepNote IS NOT 'claim';

  -- Partners, folders and jobs that an operator has opened or closed (ACT, INACT); the configuration's state counts again
  -- once it says something else than it did then.
  CREATE TABLE activation (
    kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, configured TEXT NOT NULL, PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;

  -- Forwarding: which transfer another one was made of, and by whose session it came; a response that is passed on is the
  -- one that its maker signed.
  ALTER TABLE transfer ADD COLUMN pidtu TEXT NOT NULL DEFAULT '';
  ALTER TABLE transfer ADD COLUMN via TEXT NOT NULL DEFAULT '';
  CREATE INDEX transfer_parent ON transfer (pidtu) WHERE pidtu <> '';
  ALTER TABLE response ADD COLUMN creator TEXT NOT NULL DEFAULT '';
  ALTER TABLE response ADD COLUMN hsh TEXT NOT NULL DEFAULT '';
  ALTER TABLE response ADD COLUMN sig TEXT NOT NULL DEFAULT '';

  -- What makes a send a duplicate of another (DUPLICAT), and until when it may begin (0 = for ever).
  ALTER TABLE transfer ADD COLUMN dupkey TEXT NOT NULL DEFAULT '';
  ALTER TABLE transfer ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX transfer_dupkey ON transfer (dupkey) WHERE dupkey <> '';
  CREATE INDEX transfer_deadline ON transfer (deadline) WHERE deadline <> 0 AND phase = 'T' AND phasestep = 'D';

  -- Waiting sends that do not say yet what they wait for.
  CREATE INDEX send_unexplained ON transfer (part)
    WHERE direct = 'send' AND phase = 'T' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim' AND diagi = 0;
  `,
  `
  -- The script of the record's phase. The records that wait for theirs, in the order in which they are taken.
  ALTER TABLE transfer ADD COLUMN script TEXT NOT NULL DEFAULT ''
    CHECK (script IN ('', 'preexec', 'exec', 'ackexec'));
  CREATE INDEX script_waiting ON transfer (id)
    WHERE script <> '' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim';

  -- What is still to be done about a transfer beside its own way. Triggers note it in the change that calls for it,
  -- so that no crash comes between; and only what somebody wants, because most sites want nothing.
  CREATE TABLE aftermath (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('exece', 'ackexec', 'accnt', 'exec')),
    transfer INTEGER NOT NULL REFERENCES transfer (id) ON DELETE CASCADE,
    UNIQUE (transfer, kind)
  ) STRICT;
  CREATE INDEX aftermath_kind ON aftermath (kind, id);
  CREATE TABLE wanted (kind TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  -- Something went wrong: held or stopped with a diagnosis that is not an operator's command, or a receive that
  -- could not be delivered.
  CREATE TRIGGER aftermath_error AFTER UPDATE OF phase, phasestep ON transfer
    WHEN new.diagi NOT IN (0, 121)
      AND ((new.phasestep IN ('H', 'K') AND old.phasestep NOT IN ('H', 'K'))
        OR (new.phase = 'X' AND old.phase <> 'X' AND new.direct = 'recv'))
      AND EXISTS (SELECT 1 FROM wanted WHERE kind = 'exece')
  BEGIN
    INSERT INTO aftermath (kind, transfer) VALUES ('exece', new.id) ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER aftermath_stillborn AFTER INSERT ON transfer
    WHEN new.diagi NOT IN (0, 121) AND new.phasestep IN ('H', 'K')
      AND EXISTS (SELECT 1 FROM wanted WHERE kind = 'exece')
  BEGIN
    INSERT INTO aftermath (kind, transfer) VALUES ('exece', new.id) ON CONFLICT DO NOTHING;
  END;
  -- A response to a send that did not wait for it.
  CREATE TRIGGER aftermath_late AFTER UPDATE OF ack ON transfer
    WHEN new.direct = 'send' AND new.phase = 'X' AND old.phase = 'X' AND new.ack <> '' AND old.ack = ''
      AND EXISTS (SELECT 1 FROM wanted WHERE kind = 'ackexec')
  BEGIN
    INSERT INTO aftermath (kind, transfer) VALUES ('ackexec', new.id) ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER aftermath_ended AFTER UPDATE OF phase ON transfer
    WHEN new.phase = 'X' AND old.phase <> 'X' AND EXISTS (SELECT 1 FROM wanted WHERE kind = 'accnt')
  BEGIN
    INSERT INTO aftermath (kind, transfer) VALUES ('accnt', new.id) ON CONFLICT DO NOTHING;
  END;
  `,
  `
  -- Lists of what few records have: a diagnosis, a refusal.
  CREATE INDEX transfer_diagi ON transfer (direct, diagi, kdate) WHERE diagi <> 0;
  CREATE INDEX transfer_failed ON transfer (direct, kdate) WHERE diagi <> 0;
  CREATE INDEX transfer_refused ON transfer (direct, kdate) WHERE ack = 'N';

  -- Sends of a flow to a partner one after the other (SERIAL): those that others may have to wait for.
  ALTER TABLE transfer ADD COLUMN serial TEXT NOT NULL DEFAULT '' CHECK (serial IN ('', 'Y', 'X'));
  CREATE INDEX send_serial ON transfer (part, idf, id) WHERE serial <> '' AND direct = 'send' AND phase <> 'X';

  -- When a script may begin.
  ALTER TABLE transfer ADD COLUMN scriptAt INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX script_later ON transfer (scriptAt) WHERE scriptAt <> 0 AND script <> '' AND phasestep = 'D';

  -- Records that are parents of others and nothing else: lists of files, cycles (JSON); and whose child is one of several.
  ALTER TABLE transfer ADD COLUMN member TEXT NOT NULL DEFAULT '' CHECK (member IN ('', 'list'));
  ALTER TABLE transfer ADD COLUMN generic TEXT;
  CREATE INDEX transfer_generic ON transfer (id) WHERE generic IS NOT NULL AND phase <> 'X';
  `,
];
