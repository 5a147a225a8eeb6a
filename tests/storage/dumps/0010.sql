BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE decision (
	id INTEGER NOT NULL, 
	time_us BIGINT NOT NULL, 
	station_id INTEGER NOT NULL, 
	session_id INTEGER, 
	track_id INTEGER NOT NULL, 
	watermark INTEGER NOT NULL, 
	slot INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	score DOUBLE NOT NULL, 
	propensity DOUBLE, 
	model_version VARCHAR NOT NULL, 
	arm VARCHAR NOT NULL, 
	temperature DOUBLE NOT NULL, 
	eligible_count INTEGER NOT NULL, 
	log_partition DOUBLE NOT NULL, 
	eligible BLOB NOT NULL, trial_id INTEGER, pair INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(session_id) REFERENCES listening_session (id), 
	FOREIGN KEY(station_id) REFERENCES station (id), 
	FOREIGN KEY(track_id) REFERENCES track (id), 
	UNIQUE (station_id, watermark, slot, track_id, model_version)
);
INSERT INTO "decision" VALUES(1,1767226260000007,1,1,7,0,1,1,1.1,0.625,'20260101T000000-abcdef','live',0.35,3,4.40000000000000124344e+00,X'789C636760606002622E06103860CFC0D060C7C0E070000010B502D1',NULL,NULL);
INSERT INTO "decision" VALUES(2,1767226320000007,1,1,2,3,2,2,2.1,0.625,'20260101T000000-abcdef','live',0.35,3,4.40000000000000124344e+00,X'789C636260606002622E06103860CFC0D060C7C0E0700000103D02CC',NULL,NULL);
INSERT INTO "decision" VALUES(3,1767226380000007,1,NULL,8,5,3,1,3.1,NULL,'20260101T000000-abcdef','chosen',0.35,3,4.40000000000000124344e+00,X'789CE36060606002622E06103860CFC0D060C7C0E070000010CD02D2',NULL,NULL);
INSERT INTO "decision" VALUES(4,1767226440000007,5,1,4,9,4,1,4.1,0.625,'20260101T000000-abcdef','live',0.35,3,4.40000000000000124344e+00,X'789C636160606002622E06103860CFC0D060C7C0E0700000106D02CE',1,0);
INSERT INTO "decision" VALUES(5,1767226500000007,5,1,5,9,5,1,5.1,0.625,'untrained','untrained',0.35,3,4.40000000000000124344e+00,X'789C636560606002622E06103860CFC0D060C7C0E0700000108502CF',1,0);
CREATE TABLE embedding (
	track_id INTEGER NOT NULL, 
	frontend VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	vector BLOB, 
	tags BLOB, 
	error VARCHAR, 
	created_us BIGINT NOT NULL, spread BLOB, 
	PRIMARY KEY (track_id, frontend), 
	FOREIGN KEY(track_id) REFERENCES track (id)
);
INSERT INTO "embedding" VALUES(1,'musicnn','msd-2',X'0000B83F0000103F0000803D000070BF000040BF0000F0BF0000E0BF0000F8BF0000A8BF0000A03F0000203F0000D83F',X'0000803D0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(2,'musicnn','msd-2',X'000000000000E03E0000F83F0000703F0000103F0000403E0000803E0000E03F000060BF0000A83F0000303F000000C0',X'0000003E0000003F0000803E',NULL,1767225180000007,X'C00000003F3000003FA80000BF6000003FE000003E8000003E4000003F1000003F7000003FF800003EE0000000000000');
INSERT INTO "embedding" VALUES(3,'musicnn','msd-2',X'0000E0BE0000B83F0000803E0000F0BF0000883F0000703F0000B83F0000A8BF0000D8BF0000C03F0000F8BF0000403E',X'0000403E0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(4,'musicnn','msd-2',X'0000D8BF000050BF000080BD0000A0BE0000C0BE0000F8BF000000C00000C0BF000000C00000303F0000003E0000203F',X'0000803E0000003F0000803E',NULL,1767225180000007,X'3F2000003E0000003F300000C0000000BFC00000C0000000BFF80000BEC00000BEA00000BD800000BF500000BFD80000');
INSERT INTO "embedding" VALUES(5,'musicnn','msd-2',X'000080BF0000003F0000883F000000BF000040BE000000400000A03F0000F83F000000BF0000403F0000E83F0000203F',X'0000A03E0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(6,'musicnn','msd-2',X'0000B03F0000403F0000503F0000E0BE0000C03F0000C0BF0000A03E0000603F0000B03F0000003E000000BF000040BF',X'0000C03E0000003F0000803E',NULL,1767225180000007,X'BF400000BF0000003E0000003FB000003F6000003EA00000BFC000003FC00000BEE000003F5000003F4000003FB00000');
INSERT INTO "embedding" VALUES(7,'musicnn','msd-2',X'0000A0BE000080BD0000603F0000C83F0000E0BF0000E03F0000003E000010BF0000303F0000A03E000080BF000040BF',X'0000E03E0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(8,'musicnn','msd-2',X'0000603F0000C03E00000000000030BF0000883F0000E0BE000030BF0000C83F000070BF000090BF0000603F0000003F',X'0000003F0000003F0000803E',NULL,1767225180000007,X'3F0000003F600000BF900000BF7000003FC80000BF300000BEE000003F880000BF300000000000003EC000003F600000');
INSERT INTO "embedding" VALUES(9,'musicnn','msd-2',X'0000E8BF0000D8BF000000BF0000B03F0000C0BE0000983F000040BF000088BF0000983F0000C03F0000D8BF0000E8BF',X'0000103F0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(10,'musicnn','msd-2',X'0000303F000030BF0000A03E0000B8BF0000B83F000040BE0000D03F0000983F0000503F000090BF0000883F0000E8BF',X'0000203F0000003F0000803E',NULL,1767225180000007,X'BFE800003F880000BF9000003F5000003F9800003FD00000BE4000003FB80000BFB800003EA00000BF3000003F300000');
INSERT INTO "embedding" VALUES(11,'musicnn','msd-2',X'0000A03E0000C0BE000000400000A0BF0000E83F0000D8BF0000003F0000A03E0000D03F000050BF0000D03F0000303F',X'0000303F0000003F0000803E',NULL,1767225180000007,NULL);
INSERT INTO "embedding" VALUES(12,'musicnn','msd-2',NULL,NULL,'too short',1767225180000007,NULL);
INSERT INTO "embedding" VALUES(1,'clmr','2',X'0000000000000000',NULL,NULL,1767225240000007,NULL);
CREATE TABLE "event" (id INTEGER NOT NULL, time_us BIGINT NOT NULL, kind VARCHAR NOT NULL, track_id INTEGER NOT NULL, station_id INTEGER, session_id INTEGER, position DOUBLE, action VARCHAR, origin VARCHAR NOT NULL, decision_id INTEGER, undoes_id INTEGER, value DOUBLE, note VARCHAR, PRIMARY KEY (id), CONSTRAINT event_kind CHECK (kind IN ('start', 'finish', 'skip', 'stop', 'up', 'down', 'clear', 'replay', 'not-now', 'never', 'less', 'undo', 'unknown')), CONSTRAINT event_action CHECK (action IN ('next', 'previous', 'chose', 'down', 'not-now', 'never', 'quit', 'error', 'end', 'station', 'sleep')), CONSTRAINT event_origin CHECK (origin IN ('tui', 'headless', 'cli', 'survey', 'import')),  FOREIGN KEY(decision_id) REFERENCES decision (id), FOREIGN KEY(session_id) REFERENCES listening_session (id), FOREIGN KEY(station_id) REFERENCES station (id), FOREIGN KEY(track_id) REFERENCES track (id), FOREIGN KEY(undoes_id) REFERENCES event (id));
INSERT INTO "event" VALUES(1,1767226260000007,'start',7,1,1,0.0,NULL,'tui',1,NULL,NULL,NULL);
INSERT INTO "event" VALUES(2,1767226320000007,'up',7,1,1,12.125,NULL,'tui',1,NULL,NULL,NULL);
INSERT INTO "event" VALUES(3,1767226380000007,'finish',7,1,1,127.25,'end','tui',1,NULL,100.5,NULL);
INSERT INTO "event" VALUES(4,1767226440000007,'start',2,1,1,0.0,'chose','tui',2,NULL,NULL,NULL);
INSERT INTO "event" VALUES(5,1767226500000007,'skip',2,1,1,3.00000000000000044408e+00,'next','tui',2,NULL,NULL,NULL);
INSERT INTO "event" VALUES(6,1767226560000007,'replay',7,1,1,127.25,NULL,'tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(7,1767226620000007,'skip',7,1,1,90.0,'previous','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(8,1767226680000007,'start',2,1,1,0.0,'previous','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(9,1767226740000007,'skip',2,1,1,60.0,'chose','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(10,1767226800000007,'down',4,5,1,1.5,NULL,'tui',4,NULL,NULL,NULL);
INSERT INTO "event" VALUES(11,1767226860000007,'skip',4,5,1,1.5,'down','tui',4,NULL,NULL,NULL);
INSERT INTO "event" VALUES(12,1767226920000007,'not-now',5,5,1,2.0,NULL,'tui',5,NULL,3600.0,NULL);
INSERT INTO "event" VALUES(13,1767226980000007,'skip',5,5,1,2.0,'not-now','tui',5,NULL,NULL,NULL);
INSERT INTO "event" VALUES(14,1767227040000007,'never',10,2,1,NULL,NULL,'tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(15,1767227100000007,'skip',10,2,1,8.0,'never','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(16,1767227160000007,'stop',3,2,1,44.0,'station','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(17,1767227220000007,'stop',3,2,1,NULL,'error','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(18,1767227280000007,'down',9,1,1,NULL,NULL,'tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(19,1767227340000007,'clear',9,1,1,NULL,NULL,'tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(20,1767227400000007,'up',6,1,1,NULL,NULL,'tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(21,1767227460000007,'undo',6,1,1,NULL,NULL,'tui',NULL,20,NULL,NULL);
INSERT INTO "event" VALUES(22,1767227520000007,'down',8,1,2,NULL,NULL,'cli',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(23,1767227580000007,'up',8,1,2,NULL,NULL,'cli',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(24,1767227640000007,'up',3,NULL,2,NULL,NULL,'cli',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(25,1767227700000007,'down',7,5,2,NULL,NULL,'headless',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(26,1767227760000007,'never',1,NULL,2,NULL,NULL,'cli',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(27,1767227820000007,'undo',1,NULL,2,NULL,NULL,'cli',NULL,26,NULL,NULL);
INSERT INTO "event" VALUES(28,1767227880000007,'not-now',11,NULL,2,NULL,NULL,'cli',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(29,1767227940000007,'down',1,NULL,3,10.0,NULL,'survey',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(30,1713225600000007,'finish',12,NULL,4,132.25,'end','import',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(31,1719225600000007,'up',12,NULL,4,NULL,NULL,'import',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(32,1767228120000007,'stop',8,1,NULL,33.5,'quit','tui',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(33,1767228180000007,'less',8,1,1,NULL,NULL,'tui',NULL,NULL,NULL,'seed:genre:Jazz');
INSERT INTO "event" VALUES(34,1767228240000007,'finish',9,1,1,129.25,'sleep','tui',NULL,NULL,NULL,NULL);
CREATE TABLE exclusion (
  id INTEGER NOT NULL, query VARCHAR NOT NULL, station_id INTEGER, season VARCHAR, created_us BIGINT NOT NULL,
  PRIMARY KEY (id), FOREIGN KEY(station_id) REFERENCES station (id)
);
INSERT INTO "exclusion" VALUES(1,'genre:audiobook or path:Kids',NULL,NULL,1767225840000007);
INSERT INTO "exclusion" VALUES(2,'christmas',2,'12-01..12-26',1767225900000007);
CREATE TABLE failed_file (
	path VARCHAR NOT NULL, 
	root VARCHAR NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	error VARCHAR NOT NULL, 
	PRIMARY KEY (path)
);
INSERT INTO "failed_file" VALUES('/music of nobody/notes.mp3','/music of nobody',12,1700000000000000001,'no audio');
CREATE TABLE imported_record (
	"key" BLOB NOT NULL, 
	source VARCHAR NOT NULL, 
	event_id INTEGER NOT NULL, 
	PRIMARY KEY ("key"), 
	FOREIGN KEY(event_id) REFERENCES event (id)
)
 WITHOUT ROWID

;
INSERT INTO "imported_record" VALUES(X'000102030405060708090A0B0C0D0E0F','spotify',30);
INSERT INTO "imported_record" VALUES(X'F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF','lastfm',31);
CREATE TABLE library_root (
	path VARCHAR NOT NULL, 
	added_us BIGINT NOT NULL, 
	PRIMARY KEY (path)
);
INSERT INTO "library_root" VALUES('/music of nobody',1767225060000007);
INSERT INTO "library_root" VALUES('/mnt/ünmounted',1767225120000007);
CREATE TABLE "listening_session" (id INTEGER NOT NULL, started_us BIGINT NOT NULL, origin VARCHAR NOT NULL, CONSTRAINT session_origin CHECK (origin IN ('tui', 'headless', 'cli', 'survey', 'import')), PRIMARY KEY (id));
INSERT INTO "listening_session" VALUES(1,1767226200000007,'tui');
INSERT INTO "listening_session" VALUES(2,1767226260000007,'cli');
INSERT INTO "listening_session" VALUES(3,1767226320000007,'survey');
INSERT INTO "listening_session" VALUES(4,1767226380000007,'import');
CREATE TABLE player_state (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "player_state" VALUES('vectors','4798443761862977593');
INSERT INTO "player_state" VALUES('pins:0','[6]');
INSERT INTO "player_state" VALUES('pins:1','[9, 3, 12]');
INSERT INTO "player_state" VALUES('resume','{"station_id": 1, "track_id": 8, "position": 33.5, "playing": false, "volume": 0.4, "decision_id": 3, "reason": "of a genre you like"}');
INSERT INTO "player_state" VALUES('trial.1.limits','{"pairs": 120, "until_us": null}');
INSERT INTO "player_state" VALUES('wishes','{"station": 1, "upcoming": [8, 9]}');
CREATE TABLE playlist (
  id INTEGER NOT NULL, name VARCHAR NOT NULL, query VARCHAR, created_us BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (name)
);
INSERT INTO "playlist" VALUES(1,'Mixtape, май',NULL,1767225720000007);
INSERT INTO "playlist" VALUES(4,'Unheard','plays:0 -genre:jazz',1767225780000007);
CREATE TABLE playlist_entry (
  playlist_id INTEGER NOT NULL, place INTEGER NOT NULL, track_id INTEGER, written VARCHAR NOT NULL,
  PRIMARY KEY (playlist_id, place),
  FOREIGN KEY(playlist_id) REFERENCES playlist (id), FOREIGN KEY(track_id) REFERENCES track (id)
);
INSERT INTO "playlist_entry" VALUES(1,0,7,'../music of nobody/07.flac');
INSERT INTO "playlist_entry" VALUES(1,1,NULL,'gone.flac');
CREATE TABLE station (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	noise_seed BIGINT NOT NULL, 
	created_us BIGINT NOT NULL, mode VARCHAR DEFAULT 'station' NOT NULL, dial INTEGER DEFAULT '50' NOT NULL, removed_us BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "station" VALUES(1,'Evening',4611686018427387903,1767225600000007,'albums',80,NULL);
INSERT INTO "station" VALUES(2,'Everything, всё',0,1767225660000007,'station',50,NULL);
INSERT INTO "station" VALUES(5,'It''s loud',17,1767225720000007,'new',0,NULL);
CREATE TABLE station_seed (
	id INTEGER NOT NULL, 
	station_id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);
INSERT INTO "station_seed" VALUES(11,1,'genre','Jazz');
INSERT INTO "station_seed" VALUES(12,1,'artist','Ödön Fiktív');
INSERT INTO "station_seed" VALUES(13,1,'tag','mellow');
INSERT INTO "station_seed" VALUES(14,2,'library','');
INSERT INTO "station_seed" VALUES(15,5,'track','4');
INSERT INTO "station_seed" VALUES(16,5,'album','No Such Album');
INSERT INTO "station_seed" VALUES(17,5,'query','genre:rock year:1990-1999 "first lie"');
CREATE TABLE track (
	id INTEGER NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	artist VARCHAR NOT NULL, 
	album VARCHAR NOT NULL, 
	album_artist VARCHAR NOT NULL, 
	genre VARCHAR NOT NULL, 
	year INTEGER, 
	track_number INTEGER, 
	disc_number INTEGER, 
	duration DOUBLE NOT NULL, 
	codec VARCHAR NOT NULL, 
	sample_rate INTEGER NOT NULL, 
	channels INTEGER NOT NULL, 
	added_us BIGINT NOT NULL, artists VARCHAR DEFAULT '' NOT NULL, composer VARCHAR DEFAULT '' NOT NULL, work VARCHAR DEFAULT '' NOT NULL, movement VARCHAR DEFAULT '' NOT NULL, original_year INTEGER, movement_number INTEGER, track_total INTEGER, disc_total INTEGER, track_gain DOUBLE, track_peak DOUBLE, album_gain DOUBLE, album_peak DOUBLE, lufs DOUBLE, true_peak_db DOUBLE, edges VARCHAR, album_id VARCHAR, musicbrainz_recording VARCHAR, musicbrainz_release VARCHAR, acoustid VARCHAR, compilation BOOLEAN DEFAULT 0 NOT NULL, has_lyrics BOOLEAN DEFAULT 0 NOT NULL, has_art BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (fingerprint)
);
INSERT INTO "track" VALUES(1,'flac-0001','In Three','Ödön Fiktív','Nobody’s Waltzes','Ödön Fiktív','Classical; Waltz',1991,1,1,121.25,'flac',44100,2,1767225121000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(2,'flac-0002','In Four, by Mistake','Ödön Fiktív','Nobody’s Waltzes','Ödön Fiktív','Classical; Waltz',1992,2,1,122.25,'flac',44100,2,1767225122000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(3,'flac-0003','Coda','Ödön Fiktív','Nobody’s Waltzes','Ödön Fiktív','Classical; Waltz',1993,3,1,123.25,'flac',44100,2,1767225123000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(4,'flac-0004','First Lie','The Invented','No Such Album','The Invented','Rock',1994,1,1,124.25,'flac',44100,2,1767225124000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(5,'flac-0005','It''s "Quoted"; Twice','The Invented','No Such Album','The Invented','Rock',1995,2,1,125.25,'flac',44100,2,1767225125000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(6,'flac-0006','Line
Break','The Invented','No Such Album','The Invented','Rock',1996,3,1,126.25,'flac',44100,2,1767225126000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(7,'flac-0007','Blue Template','Placeholder Trio','','Placeholder Trio','Jazz',1997,1,1,127.25,'flac',44100,2,1767225127000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(8,'flac-0008','So Where','Placeholder Trio','','Placeholder Trio','Jazz',1998,2,1,128.25,'flac',44100,2,1767225128000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(9,'flac-0009','Take One','Placeholder Trio','','Placeholder Trio','Jazz',1999,3,1,129.25,'flac',44100,2,1767225129000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(10,'flac-0010','Null','Маша Выдумка','東京なし','Маша Выдумка','Electronic',2000,1,1,130.25,'flac',44100,2,1767225130000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(11,'flac-0011','NaN','Маша Выдумка','東京なし','Маша Выдумка','Electronic',NULL,2,1,131.25,'flac',44100,2,1767225131000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
INSERT INTO "track" VALUES(12,'flac-0012','Ω','Маша Выдумка','東京なし','Маша Выдумка','Electronic',2002,3,1,132.25,'flac',44100,2,1767225132000007,'','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0);
CREATE TABLE track_file (
	id INTEGER NOT NULL, 
	track_id INTEGER NOT NULL, 
	path VARCHAR NOT NULL, 
	root VARCHAR NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	missing BOOLEAN NOT NULL, container VARCHAR DEFAULT '' NOT NULL, reader INTEGER DEFAULT '0' NOT NULL, beside INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(track_id) REFERENCES track (id), 
	UNIQUE (path)
);
INSERT INTO "track_file" VALUES(101,1,'/music of nobody/01.flac','/music of nobody',5000000001,1700000000000000001,0,'',0,0);
INSERT INTO "track_file" VALUES(102,2,'/music of nobody/02.flac','/music of nobody',5000000002,1700000000000000002,0,'',0,0);
INSERT INTO "track_file" VALUES(103,3,'/music of nobody/03.flac','/music of nobody',5000000003,1700000000000000003,0,'',0,0);
INSERT INTO "track_file" VALUES(104,4,'/music of nobody/04.flac','/music of nobody',5000000004,1700000000000000004,0,'',0,0);
INSERT INTO "track_file" VALUES(105,5,'/music of nobody/05.flac','/music of nobody',5000000005,1700000000000000005,0,'',0,0);
INSERT INTO "track_file" VALUES(106,6,'/music of nobody/06.flac','/music of nobody',5000000006,1700000000000000006,0,'',0,0);
INSERT INTO "track_file" VALUES(107,7,'/music of nobody/07.flac','/music of nobody',5000000007,1700000000000000007,0,'',0,0);
INSERT INTO "track_file" VALUES(108,8,'/music of nobody/08.flac','/music of nobody',5000000008,1700000000000000008,0,'',0,0);
INSERT INTO "track_file" VALUES(109,9,'/music of nobody/09.flac','/music of nobody',5000000009,1700000000000000009,0,'',0,0);
INSERT INTO "track_file" VALUES(110,10,'/music of nobody/10.flac','/music of nobody',5000000010,1700000000000000010,0,'',0,0);
INSERT INTO "track_file" VALUES(111,11,'/music of nobody/11.flac','/music of nobody',5000000011,1700000000000000011,1,'',0,0);
INSERT INTO "track_file" VALUES(112,12,'/music of nobody/12.flac','/music of nobody',5000000012,1700000000000000012,0,'',0,0);
INSERT INTO "track_file" VALUES(120,1,'/mnt/ünmounted/copy of 01.flac','/mnt/ünmounted',5,6,1,'',0,0);
CREATE TABLE trial (
	id INTEGER NOT NULL, 
	station_id INTEGER NOT NULL, 
	arm_a VARCHAR NOT NULL, 
	arm_b VARCHAR NOT NULL, 
	version_a VARCHAR NOT NULL, 
	version_b VARCHAR NOT NULL, 
	coin_seed BIGINT NOT NULL, 
	started_us BIGINT NOT NULL, 
	ended_us BIGINT, 
	conclusion VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);
INSERT INTO "trial" VALUES(1,5,'live','untrained','20260101T000000-abcdef','untrained',2305843009213693951,1767226800000007,NULL,NULL);
INSERT INTO "trial" VALUES(2,2,'old','new','a','b',3,1767225660000007,1767225720000007,'“new” is liked better.');
CREATE TABLE unlearned_span (
  id INTEGER NOT NULL, since_us BIGINT NOT NULL, until_us BIGINT, tracks INTEGER, private BOOLEAN NOT NULL,
  lifted_us BIGINT, PRIMARY KEY (id)
);
INSERT INTO "unlearned_span" VALUES(1,1767255600000007,1767259200000007,NULL,1,NULL);
INSERT INTO "unlearned_span" VALUES(2,1767261600000007,1767265200000007,NULL,0,1767267600000007);
CREATE INDEX ix_track_album ON track (album);
CREATE INDEX ix_track_artist ON track (artist);
CREATE INDEX ix_track_genre ON track (genre);
CREATE INDEX ix_station_seed_station_id ON station_seed (station_id);
CREATE INDEX ix_track_file_missing ON track_file (missing);
CREATE INDEX ix_track_file_track_id ON track_file (track_id);
CREATE INDEX ix_imported_record_event_id ON imported_record (event_id);
CREATE INDEX ix_decision_trial_id ON decision (trial_id);
CREATE INDEX ix_event_station_time ON event (station_id, time_us);
CREATE INDEX ix_event_time_us ON event (time_us);
CREATE INDEX ix_event_track_id ON event (track_id);
CREATE INDEX ix_track_edges ON track (edges);
CREATE INDEX ix_track_album_id ON track (album_id);
CREATE INDEX ix_playlist_entry_track_id ON playlist_entry (track_id);
CREATE INDEX ix_track_added_us ON track (added_us);
CREATE VIEW track_folded AS SELECT id, indexed_words(title) AS title, indexed_words(artist || ' ' || artists || ' ' || album_artist) AS artist, indexed_words(album) AS album, indexed_words(genre) AS genre, indexed_words(composer || ' ' || work || ' ' || movement) AS work FROM track;
CREATE TRIGGER track_words_added AFTER INSERT ON track BEGIN INSERT INTO track_words (rowid, title, artist, album, genre, work) VALUES (new.id, indexed_words(new.title), indexed_words(new.artist || ' ' || new.artists || ' ' || new.album_artist), indexed_words(new.album), indexed_words(new.genre), indexed_words(new.composer || ' ' || new.work || ' ' || new.movement)); END;
CREATE TRIGGER track_words_gone AFTER DELETE ON track BEGIN INSERT INTO track_words (track_words, rowid, title, artist, album, genre, work) VALUES ('delete', old.id, indexed_words(old.title), indexed_words(old.artist || ' ' || old.artists || ' ' || old.album_artist), indexed_words(old.album), indexed_words(old.genre), indexed_words(old.composer || ' ' || old.work || ' ' || old.movement)); END;
CREATE TRIGGER track_words_changed AFTER UPDATE OF title, artist, artists, album_artist, album, genre, composer, work, movement ON track WHEN old.title IS NOT new.title OR old.artist IS NOT new.artist OR old.artists IS NOT new.artists OR old.album_artist IS NOT new.album_artist OR old.album IS NOT new.album OR old.genre IS NOT new.genre OR old.composer IS NOT new.composer OR old.work IS NOT new.work OR old.movement IS NOT new.movement BEGIN INSERT INTO track_words (track_words, rowid, title, artist, album, genre, work) VALUES ('delete', old.id, indexed_words(old.title), indexed_words(old.artist || ' ' || old.artists || ' ' || old.album_artist), indexed_words(old.album), indexed_words(old.genre), indexed_words(old.composer || ' ' || old.work || ' ' || old.movement)); INSERT INTO track_words (rowid, title, artist, album, genre, work) VALUES (new.id, indexed_words(new.title), indexed_words(new.artist || ' ' || new.artists || ' ' || new.album_artist), indexed_words(new.album), indexed_words(new.genre), indexed_words(new.composer || ' ' || new.work || ' ' || new.movement)); END;
CREATE VIEW file_folded AS SELECT id, indexed_words(replace(replace(path, '/', ' '), '.', ' ')) AS path FROM track_file;
CREATE TRIGGER file_words_added AFTER INSERT ON track_file BEGIN INSERT INTO file_words (rowid, path) VALUES (new.id, indexed_words(replace(replace(new.path, '/', ' '), '.', ' '))); END;
CREATE TRIGGER file_words_gone AFTER DELETE ON track_file BEGIN INSERT INTO file_words (file_words, rowid, path) VALUES ('delete', old.id, indexed_words(replace(replace(old.path, '/', ' '), '.', ' '))); END;
CREATE TRIGGER file_words_changed AFTER UPDATE OF path ON track_file WHEN old.path IS NOT new.path BEGIN INSERT INTO file_words (file_words, rowid, path) VALUES ('delete', old.id, indexed_words(replace(replace(old.path, '/', ' '), '.', ' '))); INSERT INTO file_words (rowid, path) VALUES (new.id, indexed_words(replace(replace(new.path, '/', ' '), '.', ' '))); END;
CREATE TRIGGER vectors_added AFTER INSERT ON embedding BEGIN INSERT INTO player_state (key, value) VALUES ('vectors', CAST(random() AS TEXT)) ON CONFLICT (key) DO UPDATE SET value = excluded.value; END;
CREATE TRIGGER vectors_changed AFTER UPDATE ON embedding BEGIN INSERT INTO player_state (key, value) VALUES ('vectors', CAST(random() AS TEXT)) ON CONFLICT (key) DO UPDATE SET value = excluded.value; END;
CREATE TRIGGER vectors_gone AFTER DELETE ON embedding BEGIN INSERT INTO player_state (key, value) VALUES ('vectors', CAST(random() AS TEXT)) ON CONFLICT (key) DO UPDATE SET value = excluded.value; END;
COMMIT;
CREATE VIRTUAL TABLE track_words USING fts5(title, artist, album, genre, work, content='track_folded', content_rowid='id', tokenize='ascii', prefix='1');
INSERT INTO track_words (track_words) VALUES ('rebuild');
CREATE VIRTUAL TABLE file_words USING fts5(path, content='file_folded', content_rowid='id', tokenize='ascii', prefix='1');
INSERT INTO file_words (file_words) VALUES ('rebuild');
CREATE VIRTUAL TABLE track_vocabulary USING fts5vocab(track_words, row);
