BEGIN TRANSACTION;
CREATE TABLE alarm (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	about TEXT NOT NULL, 
	code VARCHAR(40) NOT NULL, 
	subject TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	"on" DATE, 
	target TEXT NOT NULL, 
	raised_at VARCHAR(27) NOT NULL, 
	mail INTEGER, 
	CONSTRAINT fk_alarm_mail FOREIGN KEY(mail) REFERENCES outbox (id), 
	CONSTRAINT uq_alarm_about UNIQUE (about)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE awaited_payment (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	review INTEGER NOT NULL, 
	voucher_key VARCHAR(80), 
	invoice_key TEXT, 
	digest VARCHAR(80) NOT NULL, 
	reason TEXT NOT NULL, 
	"row" JSON NOT NULL, 
	CONSTRAINT fk_awaited_payment_review FOREIGN KEY(review) REFERENCES review (number)
);
CREATE TABLE calendar_entry (
	programme VARCHAR(80) NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	deadline VARCHAR(40) NOT NULL, 
	partner VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	"on" DATE NOT NULL, 
	sequence INTEGER NOT NULL, 
	ended BOOLEAN NOT NULL, 
	told INTEGER, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_calendar_entry PRIMARY KEY (programme, voucher_key, deadline, partner)
);
INSERT INTO "calendar_entry" VALUES('planning-services','DPS1001','reserve','contoso','DPS-1001','2021-11-01',0,0,0,'2021-10-08T07:00:00.000000Z');
INSERT INTO "calendar_entry" VALUES('planning-services','DPS1001','redeem','contoso','DPS-1001','2021-11-08',0,0,0,'2021-10-08T07:00:00.000000Z');
INSERT INTO "calendar_entry" VALUES('planning-services','DPS1002','redeem','contoso','DPS-1002','2021-11-08',0,0,0,'2021-10-08T07:00:00.000000Z');
INSERT INTO "calendar_entry" VALUES('planning-services','DPS1003','reserve','contoso','DPS-1003','2021-11-01',0,0,0,'2021-10-08T07:00:00.000000Z');
INSERT INTO "calendar_entry" VALUES('planning-services','DPS1003','redeem','contoso','DPS-1003','2021-11-08',0,0,0,'2021-10-08T07:00:00.000000Z');
CREATE TABLE closed (
	voucher_key VARCHAR(80) NOT NULL, 
	programme VARCHAR(80) NOT NULL, 
	period INTEGER NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	"row" TEXT NOT NULL, 
	CONSTRAINT pk_closed PRIMARY KEY (voucher_key, programme, period), 
	CONSTRAINT fk_closed_period FOREIGN KEY(period) REFERENCES period (number)
);
CREATE TABLE decision (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	word VARCHAR(20) NOT NULL, 
	line INTEGER, 
	document INTEGER, 
	period INTEGER, 
	programme VARCHAR(80), 
	voucher_key VARCHAR(80), 
	voucher VARCHAR(80), 
	until DATE, 
	amount INTEGER, 
	currency VARCHAR(3), 
	undoes INTEGER, 
	why TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	recorded_at VARCHAR(27) NOT NULL, 
	CONSTRAINT fk_decision_line FOREIGN KEY(line) REFERENCES invoice_line (number), 
	CONSTRAINT fk_decision_document FOREIGN KEY(document) REFERENCES invoice (number), 
	CONSTRAINT fk_decision_period FOREIGN KEY(period) REFERENCES period (number), 
	CONSTRAINT fk_decision_undoes FOREIGN KEY(undoes) REFERENCES decision (number)
);
CREATE TABLE delivery (
	id INTEGER NOT NULL, 
	mail INTEGER NOT NULL, 
	address TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempts INTEGER NOT NULL, 
	doubts INTEGER NOT NULL, 
	next_try_at VARCHAR(27), 
	sent_at VARCHAR(27), 
	refused_since VARCHAR(27), 
	failed_at VARCHAR(27), 
	answer TEXT NOT NULL, 
	CONSTRAINT pk_delivery PRIMARY KEY (id), 
	CONSTRAINT fk_delivery_mail FOREIGN KEY(mail) REFERENCES outbox (id), 
	CONSTRAINT uq_delivery_mail_address UNIQUE (mail, address)
);
INSERT INTO "delivery" VALUES(1,1,'vouchers@contoso.example','sent',1,0,NULL,'2021-10-08T07:30:00.000000Z',NULL,NULL,'250 2.0.0 Ok');
CREATE TABLE event (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	programme VARCHAR(80) NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	"on" DATE NOT NULL, 
	recorded_at VARCHAR(27) NOT NULL, 
	"by" TEXT NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	partner VARCHAR(80), 
	message INTEGER, 
	handed_in_on DATE, 
	facts JSON NOT NULL, 
	spans JSON NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT fk_event_message FOREIGN KEY(message) REFERENCES message (id)
);
INSERT INTO "event" VALUES(1,'planning-services','DPS1001','DPS-1001','assigned','2021-05-12','2021-05-12T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{"country": "DE", "offering": "SDPS", "days": "5", "customer_admin": "admin@customer.example"}','{}','');
INSERT INTO "event" VALUES(2,'planning-services','DPS1002','DPS-1002','assigned','2021-05-12','2021-05-12T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{"country": "DE", "offering": "SDPS", "days": "5", "customer_admin": "admin@customer.example"}','{}','');
INSERT INTO "event" VALUES(3,'planning-services','DPS1003','DPS-1003','assigned','2021-05-12','2021-05-12T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{"country": "DE", "offering": "SDPS", "days": "5", "customer_admin": "admin@customer.example"}','{}','');
INSERT INTO "event" VALUES(4,'planning-services','DPS1002','DPS-1002','reserved','2021-05-13','2021-05-13T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{}','{}','');
INSERT INTO "event" VALUES(5,'planning-services','DPS1004','DPS-1004','assigned','2021-05-12','2021-05-14T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{"country": "DE", "offering": "SDPS", "days": "5", "customer_admin": "admin@customer.example"}','{}','');
INSERT INTO "event" VALUES(6,'planning-services','DPS1004','DPS-1004','redeemed','2021-05-14','2021-05-14T10:00:00.000000Z','vouchers@contoso.example','partner','contoso',NULL,NULL,'{}','{}','');
INSERT INTO "event" VALUES(7,'planning-services','DPS1004','DPS-1004','billed','2021-05-15','2021-05-16T10:00:00.000000Z','reconciliation','reconciliation',NULL,NULL,NULL,'{}','{}','billed by invoice INV-1');
CREATE TABLE hold (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	scope VARCHAR(20) NOT NULL, 
	programme VARCHAR(80) NOT NULL, 
	subject VARCHAR(80) NOT NULL, 
	name TEXT NOT NULL, 
	until DATE, 
	why TEXT NOT NULL, 
	recorded_at VARCHAR(27) NOT NULL, 
	"by" TEXT NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	message INTEGER, 
	releases INTEGER, 
	CONSTRAINT fk_hold_message FOREIGN KEY(message) REFERENCES message (id), 
	CONSTRAINT fk_hold_releases FOREIGN KEY(releases) REFERENCES hold (id)
);
CREATE TABLE invoice (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	file TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	content_sha256 VARCHAR(64) NOT NULL, 
	supplier VARCHAR(80) NOT NULL, 
	invoice TEXT NOT NULL, 
	invoice_key TEXT NOT NULL, 
	counts_as TEXT NOT NULL, 
	corrects TEXT NOT NULL, 
	refers_to TEXT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	issued_on DATE NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	total INTEGER, 
	totals JSON, 
	message INTEGER, 
	recorded_at VARCHAR(27) NOT NULL, 
	CONSTRAINT fk_invoice_message FOREIGN KEY(message) REFERENCES message (id), 
	CONSTRAINT uq_invoice_sha256_invoice_key_kind_supplier UNIQUE (sha256, invoice_key, kind, supplier)
);
INSERT INTO "invoice" VALUES(1,'file 0.csv','4da94f7ab13842d92f35deb8983d2edfe02631ff460c4080f4733de155b57fd4','4816227d35ec2b8854aa3f88b3042d3c0ac3b395361a184aff8316e979619f82','contoso','INV-1','INV-1','INV-1','','','invoice','2021-05-15','EUR',500001,'null',NULL,'2021-05-16T10:00:00.000000Z');
CREATE TABLE invoice_line (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	document INTEGER NOT NULL, 
	line VARCHAR(80) NOT NULL, 
	voucher_text TEXT NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	net INTEGER NOT NULL, 
	tax INTEGER, 
	currency VARCHAR(3) NOT NULL, 
	placed_at VARCHAR(27), 
	CONSTRAINT fk_invoice_line_document FOREIGN KEY(document) REFERENCES invoice (number)
);
INSERT INTO "invoice_line" VALUES(1,1,'1','DPS-1004','DPS1004',500000,NULL,'EUR',NULL);
INSERT INTO "invoice_line" VALUES(2,1,'2','DPS-1009','DPS1009',1,NULL,'EUR',NULL);
CREATE TABLE line_hint (
	line INTEGER NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	CONSTRAINT pk_line_hint PRIMARY KEY (line, voucher_key), 
	CONSTRAINT fk_line_hint_line FOREIGN KEY(line) REFERENCES invoice_line (number)
);
CREATE TABLE mailbox (
	name VARCHAR(200) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	last_success VARCHAR(27), 
	error TEXT NOT NULL, 
	since VARCHAR(27), 
	push VARCHAR(20) NOT NULL, 
	CONSTRAINT pk_mailbox PRIMARY KEY (name)
);
CREATE TABLE message (
	id INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	message_id TEXT NOT NULL, 
	sender TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	received_at VARCHAR(27), 
	recorded_at VARCHAR(27) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	code VARCHAR(40) NOT NULL, 
	reason TEXT NOT NULL, 
	gone_at VARCHAR(27), 
	CONSTRAINT pk_message PRIMARY KEY (id), 
	CONSTRAINT uq_message_sha256 UNIQUE (sha256)
);
INSERT INTO "message" VALUES(1,'7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed',3,'one@contoso.example','sam.ortiz@contoso.example','one',NULL,'2021-05-14T10:00:00.000000Z','assigned','recorded','','',NULL);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema-tolerates','');
INSERT INTO "meta" VALUES('steps written','2100-01-01');
INSERT INTO "meta" VALUES('steps looked at','2021-10-08T07:00:00+00:00');
CREATE TABLE outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	business_key TEXT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	partner VARCHAR(80), 
	"to" JSON NOT NULL, 
	cc JSON NOT NULL, 
	vouchers JSON NOT NULL, 
	items JSON NOT NULL, 
	due_at VARCHAR(27) NOT NULL, 
	obsolete_at VARCHAR(27), 
	day DATE NOT NULL, 
	letter JSON NOT NULL, 
	head JSON NOT NULL, 
	envelope_from TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	subject TEXT, 
	content BLOB, 
	status VARCHAR(20) NOT NULL, 
	CONSTRAINT uq_outbox_business_key UNIQUE (business_key)
);
INSERT INTO "outbox" VALUES(1,'daily|contoso|2021-10-08','digest','contoso','["vouchers@contoso.example"]','[]','["DPS-1001", "DPS-1003", "DPS-1002"]','[{"programme": "planning-services", "voucher": "DPS-1001", "deadline": "reserve", "deadline_on": "2021-11-01", "days_before": 30}, {"programme": "planning-services", "voucher": "DPS-1003", "deadline": "reserve", "deadline_on": "2021-11-01", "days_before": 30}, {"programme": "planning-services", "voucher": "DPS-1002", "deadline": "redeem", "deadline_on": "2021-11-08", "days_before": 30}]','2021-10-08T07:00:00.000000Z','2021-11-08T14:59:59.000000Z','2021-10-08','{"kind": "digest", "locale": "ko", "on": "2021-10-08", "partner": "Contoso Consulting", "programme": "Planning Services", "items": [{"voucher": "DPS-1001", "customer": null, "customer_admin": "admin@customer.example", "offering": "SDPS", "days": 5, "due": {"deadline": "reserve", "on": "2021-11-01", "days_left": 24, "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)"}, "others": [{"deadline": "redeem", "on": "2021-11-08", "days_left": 31, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)"}], "missing": [], "already_known": false, "unseen_invoice": "", "value": {"amount": 500000, "currency": "EUR"}, "remaining": null}, {"voucher": "DPS-1003", "customer": null, "customer_admin": "admin@customer.example", "offering": "SDPS", "days": 5, "due": {"deadline": "reserve", "on": "2021-11-01", "days_left": 24, "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)"}, "others": [{"deadline": "redeem", "on": "2021-11-08", "days_left": 31, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)"}], "missing": [], "already_known": false, "unseen_invoice": "", "value": {"amount": 500000, "currency": "EUR"}, "remaining": null}, {"voucher": "DPS-1002", "customer": null, "customer_admin": "admin@customer.example", "offering": "SDPS", "days": 5, "due": {"deadline": "redeem", "on": "2021-11-08", "days_left": 31, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)"}, "others": [], "missing": [], "already_known": false, "unseen_invoice": "", "value": {"amount": 500000, "currency": "EUR"}, "remaining": null}], "quoted_subject": "", "template": "", "notes": [], "days": [], "invoice": null, "lines": [], "alarms": [], "calendar": [{"voucher": "DPS-1001", "deadline": "redeem", "on": "2021-11-08", "sequence": 0, "customer": null, "programme": "Planning Services", "cancelled": false, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "changed_at": "2021-10-08T07:00:00+00:00"}, {"voucher": "DPS-1001", "deadline": "reserve", "on": "2021-11-01", "sequence": 0, "customer": null, "programme": "Planning Services", "cancelled": false, "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "changed_at": "2021-10-08T07:00:00+00:00"}, {"voucher": "DPS-1002", "deadline": "redeem", "on": "2021-11-08", "sequence": 0, "customer": null, "programme": "Planning Services", "cancelled": false, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "changed_at": "2021-10-08T07:00:00+00:00"}, {"voucher": "DPS-1003", "deadline": "redeem", "on": "2021-11-08", "sequence": 0, "customer": null, "programme": "Planning Services", "cancelled": false, "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "changed_at": "2021-10-08T07:00:00+00:00"}, {"voucher": "DPS-1003", "deadline": "reserve", "on": "2021-11-01", "sequence": 0, "customer": null, "programme": "Planning Services", "cancelled": false, "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "changed_at": "2021-10-08T07:00:00+00:00"}], "figures": null}','{"sender": "Voucher desk <vouchers@desk.example>", "to": ["vouchers@contoso.example"], "message_id": "<23c893836bb1eadc2f5aae3a5472f09f@desk.example>", "date": "2021-10-08T07:00:00+00:00", "cc": [], "reply_to": "", "answers": "", "references": [], "calendar_sequence": 0}','vouchers@desk.example','<23c893836bb1eadc2f5aae3a5472f09f@desk.example>','2021-10-08T07:00:00.000000Z','digest: DPS-1001, DPS-1003, DPS-1002',X'4D6573736167652D49443A203C3233633839333833366262316561646332663561616533613534373266303966406465736B2E6578616D706C653E0D0A5375626A6563743A206469676573743A204450532D313030312C204450532D313030332C204450532D313030320D0A0D0A323032312D31302D30380D0A','sent');
CREATE TABLE period (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(20) NOT NULL, 
	since DATE, 
	until DATE NOT NULL, 
	closed_at VARCHAR(27) NOT NULL, 
	last_document INTEGER NOT NULL, 
	vouchers INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	bridge JSON NOT NULL
);
CREATE TABLE removal (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR(20) NOT NULL, 
	removed_at VARCHAR(27) NOT NULL, 
	"by" TEXT NOT NULL, 
	why TEXT NOT NULL, 
	counts JSON NOT NULL
);
CREATE TABLE review (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	code VARCHAR(40) NOT NULL, 
	reason TEXT NOT NULL, 
	opened_at VARCHAR(27) NOT NULL, 
	message INTEGER, 
	event INTEGER, 
	programme VARCHAR(80), 
	voucher_key VARCHAR(80), 
	suggestions JSON NOT NULL, 
	about TEXT NOT NULL, 
	"query" TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	closed_at VARCHAR(27), 
	closed_by TEXT NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT fk_review_event FOREIGN KEY(event) REFERENCES event (id), 
	CONSTRAINT fk_review_message FOREIGN KEY(message) REFERENCES message (id)
);
CREATE TABLE source (
	id INTEGER NOT NULL, 
	mailbox VARCHAR(200) NOT NULL, 
	uidvalidity INTEGER NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	message INTEGER, 
	folder VARCHAR(200) NOT NULL, 
	filed BOOLEAN NOT NULL, 
	CONSTRAINT pk_source PRIMARY KEY (id), 
	CONSTRAINT fk_source_message FOREIGN KEY(message) REFERENCES message (id), 
	CONSTRAINT uq_source_mailbox_uidvalidity_key UNIQUE (mailbox, uidvalidity, "key")
);
INSERT INTO "source" VALUES(1,'vouchers',7,'1',1,'Processed',1);
CREATE TABLE step (
	id INTEGER NOT NULL, 
	programme VARCHAR(80) NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	deadline VARCHAR(40) NOT NULL, 
	deadline_on DATE NOT NULL, 
	days_before INTEGER NOT NULL, 
	partner VARCHAR(80), 
	due_at VARCHAR(27) NOT NULL, 
	ends_at VARCHAR(27) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	because TEXT NOT NULL, 
	mail INTEGER, 
	CONSTRAINT pk_step PRIMARY KEY (id), 
	CONSTRAINT fk_step_mail FOREIGN KEY(mail) REFERENCES outbox (id), 
	CONSTRAINT uq_step_programme_voucher_key_deadline_deadline_on_days_before UNIQUE (programme, voucher_key, deadline, deadline_on, days_before)
);
INSERT INTO "step" VALUES(1,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',30,'contoso','2021-10-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','mailed','',1);
INSERT INTO "step" VALUES(2,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',14,'contoso','2021-10-18T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(3,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',7,'contoso','2021-10-25T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(4,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',3,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(5,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',1,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(6,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',0,'contoso','2021-11-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(7,'planning-services','DPS1001','DPS-1001','reserve','2021-11-01',-1,'contoso','2021-11-02T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(8,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',60,'contoso','2021-09-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','superseded','goes on the same day as the step 30 days before, which is nearer',NULL);
INSERT INTO "step" VALUES(9,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',30,'contoso','2021-10-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','superseded','named in the mail about reserve by 2021-11-01 of the same day',NULL);
INSERT INTO "step" VALUES(10,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',14,'contoso','2021-10-25T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(11,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',7,'contoso','2021-11-01T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(12,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',3,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(13,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',1,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(14,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',0,'contoso','2021-11-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(15,'planning-services','DPS1001','DPS-1001','redeem','2021-11-08',-1,'contoso','2021-11-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(16,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',30,'contoso','2021-10-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(17,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',14,'contoso','2021-10-18T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(18,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',7,'contoso','2021-10-25T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(19,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',3,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(20,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',1,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(21,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',0,'contoso','2021-11-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(22,'planning-services','DPS1002','DPS-1002','reserve','2021-11-01',-1,'contoso','2021-11-02T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-13',NULL);
INSERT INTO "step" VALUES(23,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',60,'contoso','2021-09-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','superseded','goes on the same day as the step 30 days before, which is nearer',NULL);
INSERT INTO "step" VALUES(24,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',30,'contoso','2021-10-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','mailed','',1);
INSERT INTO "step" VALUES(25,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',14,'contoso','2021-10-25T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(26,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',7,'contoso','2021-11-01T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(27,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',3,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(28,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',1,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(29,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',0,'contoso','2021-11-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(30,'planning-services','DPS1002','DPS-1002','redeem','2021-11-08',-1,'contoso','2021-11-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(31,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',30,'contoso','2021-10-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','mailed','',1);
INSERT INTO "step" VALUES(32,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',14,'contoso','2021-10-18T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(33,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',7,'contoso','2021-10-25T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(34,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',3,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(35,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',1,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(36,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',0,'contoso','2021-11-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(37,'planning-services','DPS1003','DPS-1003','reserve','2021-11-01',-1,'contoso','2021-11-02T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(38,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',60,'contoso','2021-09-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','superseded','goes on the same day as the step 30 days before, which is nearer',NULL);
INSERT INTO "step" VALUES(39,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',30,'contoso','2021-10-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','superseded','named in the mail about reserve by 2021-11-01 of the same day',NULL);
INSERT INTO "step" VALUES(40,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',14,'contoso','2021-10-25T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(41,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',7,'contoso','2021-11-01T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(42,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',3,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(43,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',1,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(44,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',0,'contoso','2021-11-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(45,'planning-services','DPS1003','DPS-1003','redeem','2021-11-08',-1,'contoso','2021-11-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','planned','',NULL);
INSERT INTO "step" VALUES(46,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',30,'contoso','2021-10-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(47,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',14,'contoso','2021-10-18T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(48,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',7,'contoso','2021-10-25T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(49,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',3,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(50,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',1,'contoso','2021-10-29T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(51,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',0,'contoso','2021-11-01T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(52,'planning-services','DPS1004','DPS-1004','reserve','2021-11-01',-1,'contoso','2021-11-02T00:00:00.000000Z','2021-11-01T14:59:59.000000Z','met','the reserve deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(53,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',60,'contoso','2021-09-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(54,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',30,'contoso','2021-10-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(55,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',14,'contoso','2021-10-25T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(56,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',7,'contoso','2021-11-01T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(57,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',3,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(58,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',1,'contoso','2021-11-05T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(59,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',0,'contoso','2021-11-08T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(60,'planning-services','DPS1004','DPS-1004','redeem','2021-11-08',-1,'contoso','2021-11-09T00:00:00.000000Z','2021-11-08T14:59:59.000000Z','met','the redeem deadline was met on 2021-05-14',NULL);
INSERT INTO "step" VALUES(61,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',30,'contoso','2021-06-11T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(62,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',14,'contoso','2021-06-29T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(63,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',7,'contoso','2021-07-06T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(64,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',3,'contoso','2021-07-09T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(65,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',1,'contoso','2021-07-12T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(66,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',0,'contoso','2021-07-13T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
INSERT INTO "step" VALUES(67,'planning-services','DPS1004','DPS-1004','bill','2021-07-13',-1,'contoso','2021-07-14T00:00:00.000000Z','2021-07-13T14:59:59.000000Z','met','the bill deadline was met on 2021-05-15',NULL);
CREATE TABLE suppression (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	address TEXT NOT NULL, 
	since VARCHAR(27) NOT NULL, 
	cause VARCHAR(20) NOT NULL, 
	why TEXT NOT NULL, 
	partner VARCHAR(80), 
	mail INTEGER, 
	message INTEGER, 
	lifted_at VARCHAR(27), 
	lifted_by TEXT NOT NULL, 
	lifted_why TEXT NOT NULL, 
	CONSTRAINT fk_suppression_mail FOREIGN KEY(mail) REFERENCES outbox (id), 
	CONSTRAINT fk_suppression_message FOREIGN KEY(message) REFERENCES message (id)
);
CREATE TABLE told_invoice (
	document INTEGER NOT NULL, 
	doubtful INTEGER NOT NULL, 
	CONSTRAINT pk_told_invoice PRIMARY KEY (document), 
	CONSTRAINT fk_told_invoice_document FOREIGN KEY(document) REFERENCES invoice (number)
);
CREATE TABLE told_line (
	line INTEGER NOT NULL, 
	document INTEGER NOT NULL, 
	line_class VARCHAR(20) NOT NULL, 
	CONSTRAINT pk_told_line PRIMARY KEY (line), 
	CONSTRAINT fk_told_line_document FOREIGN KEY(document) REFERENCES invoice (number), 
	CONSTRAINT fk_told_line_line FOREIGN KEY(line) REFERENCES invoice_line (number)
);
CREATE TABLE verdict (
	voucher_key VARCHAR(80) NOT NULL, 
	programme VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	redeemed_on DATE NOT NULL, 
	"row" TEXT NOT NULL, 
	CONSTRAINT pk_verdict PRIMARY KEY (voucher_key, programme)
);
INSERT INTO "verdict" VALUES('DPS1004','planning-services','DPS-1004','2021-05-14','billed|unpaid|500000|500000|500000|0|EUR|2021-07-13|2021-05-15||1:matched|');
CREATE TABLE voucher (
	programme VARCHAR(80) NOT NULL, 
	voucher_key VARCHAR(80) NOT NULL, 
	voucher VARCHAR(80) NOT NULL, 
	skeleton VARCHAR(80) NOT NULL, 
	reversed_key VARCHAR(80) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	partner VARCHAR(80), 
	customer TEXT, 
	customer_admin TEXT, 
	offering TEXT, 
	days INTEGER, 
	country TEXT, 
	created_on DATE, 
	assigned_on DATE, 
	expires_on DATE, 
	engagement_on DATE, 
	reserved_on DATE, 
	delivered_on DATE, 
	redeemed_on DATE, 
	billed_on DATE, 
	paid_on DATE, 
	revoked_on DATE, 
	redeemed_by VARCHAR(80), 
	claimed_on DATE, 
	claimed_invoice TEXT, 
	billing_extended_to DATE, 
	written_off_on DATE, 
	disputed_on DATE, 
	accepted INTEGER, 
	accepted_currency VARCHAR(3), 
	billed_parts JSON NOT NULL, 
	reservation JSON, 
	findings JSON NOT NULL, 
	claims JSON NOT NULL, 
	remitted JSON, 
	deadlines JSON NOT NULL, 
	bill_by DATE, 
	unmet_reserve DATE, 
	unmet_redeem DATE, 
	unmet_bill DATE, 
	parts JSON, 
	zone VARCHAR(64) NOT NULL, 
	valid_until DATE, 
	ends_at VARCHAR(27), 
	state_after VARCHAR(20), 
	CONSTRAINT pk_voucher PRIMARY KEY (programme, voucher_key)
);
INSERT INTO "voucher" VALUES('planning-services','DPS1001','DPS-1001','DP51001','1001SPD','assigned','contoso',NULL,'admin@customer.example','SDPS',5,'DE',NULL,'2021-05-12',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','{"partner": "contoso", "status": "requested", "requested_on": "2021-05-12", "incomplete": []}','[]','[]',NULL,'[{"name": "reserve", "on": "2021-11-01", "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "met_on": null}, {"name": "redeem", "on": "2021-11-08", "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "met_on": null}]',NULL,'2021-11-01','2021-11-08',NULL,NULL,'Asia/Seoul','2021-11-08','2021-11-08T14:59:59.000000Z','expired');
INSERT INTO "voucher" VALUES('planning-services','DPS1002','DPS-1002','DP51002','2001SPD','reserved','contoso',NULL,'admin@customer.example','SDPS',5,'DE',NULL,'2021-05-12',NULL,NULL,'2021-05-13',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','{"partner": "contoso", "status": "confirmed", "requested_on": "2021-05-12", "incomplete": []}','[]','[]',NULL,'[{"name": "reserve", "on": "2021-11-01", "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "met_on": "2021-05-13"}, {"name": "redeem", "on": "2021-11-08", "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "met_on": null}]',NULL,NULL,'2021-11-08',NULL,NULL,'Asia/Seoul','2021-11-08','2021-11-08T14:59:59.000000Z','expired');
INSERT INTO "voucher" VALUES('planning-services','DPS1003','DPS-1003','DP51003','3001SPD','assigned','contoso',NULL,'admin@customer.example','SDPS',5,'DE',NULL,'2021-05-12',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','{"partner": "contoso", "status": "requested", "requested_on": "2021-05-12", "incomplete": []}','[]','[]',NULL,'[{"name": "reserve", "on": "2021-11-01", "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "met_on": null}, {"name": "redeem", "on": "2021-11-08", "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "met_on": null}]',NULL,'2021-11-01','2021-11-08',NULL,NULL,'Asia/Seoul','2021-11-08','2021-11-08T14:59:59.000000Z','expired');
INSERT INTO "voucher" VALUES('planning-services','DPS1004','DPS-1004','DP51004','4001SPD','billed','contoso',NULL,'admin@customer.example','SDPS',5,'DE',NULL,'2021-05-12',NULL,NULL,NULL,NULL,'2021-05-14','2021-05-15',NULL,NULL,'contoso',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','{"partner": "contoso", "status": "requested", "requested_on": "2021-05-12", "incomplete": []}','["no-completion-report", "no-reservation"]','[]',NULL,'[{"name": "reserve", "on": "2021-11-01", "because": "leaves 5 business days in DE for delivery up to redeem by 2021-11-08 (voucherd''s own rule: the work must fit between the reservation and the redemption)", "met_on": "2021-05-14"}, {"name": "redeem", "on": "2021-11-08", "because": "assigned 2021-05-12 + 180 days (retirement notice of 2021-06-23: vouchers are valid for 180 days; counted from assignment as on the partner site)", "met_on": "2021-05-14"}, {"name": "bill", "on": "2021-07-13", "because": "redeemed 2021-05-14 + 60 days (retirement notice of 2021-06-23: the partner has 60 days after redemption)", "met_on": "2021-05-15"}]','2021-07-13',NULL,NULL,NULL,NULL,'Asia/Seoul','2021-11-08',NULL,NULL);
CREATE INDEX ix_message_gone ON message (id) WHERE gone_at IS NOT NULL;
CREATE INDEX ix_outbox_message_id ON outbox (message_id);
CREATE INDEX ix_outbox_partner_day ON outbox (partner, day);
CREATE INDEX ix_outbox_status ON outbox (status);
CREATE INDEX ix_outbox_uncomposed ON outbox (due_at) WHERE status = 'planned' AND content IS NULL;
CREATE INDEX ix_voucher_key ON voucher (voucher_key, programme);
CREATE INDEX ix_voucher_partner ON voucher (partner, programme, voucher_key, unmet_reserve, unmet_redeem, unmet_bill);
CREATE INDEX ix_voucher_reversed ON voucher (reversed_key);
CREATE INDEX ix_voucher_skeleton ON voucher (skeleton);
CREATE INDEX ix_voucher_state ON voucher (state);
CREATE INDEX ix_voucher_unmet_reserve ON voucher (unmet_reserve, programme, voucher_key) WHERE unmet_reserve IS NOT NULL;
CREATE INDEX ix_voucher_unmet_redeem ON voucher (unmet_redeem, programme, voucher_key) WHERE unmet_redeem IS NOT NULL;
CREATE INDEX ix_voucher_unmet_bill ON voucher (unmet_bill, programme, voucher_key) WHERE unmet_bill IS NOT NULL;
CREATE INDEX ix_delivery_address ON delivery (address);
CREATE INDEX ix_delivery_waiting ON delivery (next_try_at) WHERE status IN ('planned', 'sending', 'in-doubt');
CREATE INDEX ix_event_message ON event (message);
CREATE INDEX ix_event_recorded_at ON event (recorded_at);
CREATE INDEX ix_event_voucher ON event (voucher_key, programme);
CREATE INDEX ix_invoice_counts_as ON invoice (counts_as, supplier, kind);
CREATE INDEX ix_invoice_key ON invoice (invoice_key, supplier, kind);
CREATE INDEX ix_invoice_recorded_at ON invoice (recorded_at);
CREATE INDEX ix_source_message ON source (message);
CREATE INDEX ix_source_unfiled ON source (mailbox) WHERE filed = 0;
CREATE INDEX ix_step_due ON step (due_at) WHERE status = 'planned';
CREATE INDEX ix_step_planned ON step (partner) WHERE status = 'planned';
CREATE INDEX ix_invoice_line_document ON invoice_line (document);
CREATE INDEX ix_invoice_line_placed ON invoice_line (placed_at) WHERE placed_at IS NOT NULL;
CREATE INDEX ix_invoice_line_voucher ON invoice_line (voucher_key);
CREATE INDEX ix_review_event ON review (event);
CREATE INDEX ix_review_open ON review (status, code);
CREATE INDEX ix_review_query ON review ("query");
CREATE INDEX ix_hold_subject ON hold (scope, programme, subject);
CREATE INDEX ix_hold_message ON hold (message);
CREATE INDEX ix_hold_releases ON hold (releases);
CREATE INDEX ix_hold_recorded_at ON hold (recorded_at);
CREATE INDEX ix_calendar_entry_partner ON calendar_entry (partner, "on");
CREATE INDEX ix_calendar_entry_untold ON calendar_entry (partner) WHERE told < sequence;
CREATE INDEX ix_alarm_untold ON alarm (number) WHERE mail IS NULL;
CREATE UNIQUE INDEX ix_suppression_standing ON suppression (address) WHERE lifted_at IS NULL;
CREATE INDEX ix_line_hint_voucher ON line_hint (voucher_key);
CREATE INDEX ix_told_invoice ON told_invoice (document) WHERE doubtful = 1;
CREATE INDEX ix_told_line_document ON told_line (document);
CREATE INDEX ix_awaited_payment_review ON awaited_payment (review);
CREATE INDEX ix_decision_document ON decision (document);
CREATE INDEX ix_decision_line ON decision (line);
CREATE INDEX ix_decision_period ON decision (period);
CREATE INDEX ix_decision_recorded_at ON decision (recorded_at);
CREATE INDEX ix_decision_voucher ON decision (voucher_key);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',7);
INSERT INTO "sqlite_sequence" VALUES('invoice',1);
INSERT INTO "sqlite_sequence" VALUES('invoice_line',2);
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
COMMIT;
