package dev.tidestream.server.cluster.log;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;

/**
 * A {@link WeightRegister} behind the log of Ratis. One thread of the library applies; any thread may look. A snapshot is the register as
 * JSON, a few hundred bytes for each version, so that it is written between two entries.
 */
final class WeightStateMachine extends BaseStateMachine {
    private static final Logger log = LoggerFactory.getLogger(WeightStateMachine.class);

    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
    private final Runnable changed;
    private WeightRegister register = new WeightRegister(); // guarded by this

    /** @param changed told when there is something new, by the thread that applies, which must not wait */
    WeightStateMachine(Runnable changed) {
        this.changed = changed;
    }

    /** What is seen at one moment. */
    record View(long lastIndex, long current, long published, String digest) {}

    synchronized View view() {
        TermIndex last = getLastAppliedTermIndex();
        return new View(last == null ? -1 : last.getIndex(), register.current(), register.published(), register.digest());
    }

    /** Versions after one; at most so many. */
    synchronized List<Manifest> after(long version, int atMost) {
        return register.after(version, atMost);
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage) throws IOException {
        getLifeCycle().startAndTransition(() -> {
            super.initialize(server, groupId, raftStorage);
            storage.init(raftStorage);
            load(storage.getLatestSnapshot());
        });
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId here, @Nullable RaftPeerId leader) {
        log.info("the log of weight versions has another leader: node={}, leader={}", here.getPeerId(), leader == null ? "none" : leader);
    }

    @Override
    public void pause() {
        if (getLifeCycle().getCurrentState() == LifeCycle.State.RUNNING) {
            getLifeCycle().transition(LifeCycle.State.PAUSING);
            getLifeCycle().transition(LifeCycle.State.PAUSED);
        }
    }

    /** A snapshot has come from the leader. */
    @Override
    public void reinitialize() throws IOException {
        load(storage.loadLatestSnapshot());
        if (getLifeCycle().getCurrentState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
        changed.run();
    }

    private void load(@Nullable SingleFileSnapshotInfo snapshot) throws IOException {
        if (snapshot == null) {
            return;
        }
        Path file = snapshot.getFile().getPath();
        MD5Hash md5 = snapshot.getFile().getFileDigest();
        if (md5 != null) {
            MD5FileUtil.verifySavedMD5(file.toFile(), md5);
        }
        WeightRegister read;
        try {
            read = LogJson.register(Files.readAllBytes(file));
        } catch (IllegalArgumentException e) {
            throw new IOException("a snapshot of the log cannot be read: " + file, e);
        }
        synchronized (this) {
            register = read;
            setLastAppliedTermIndex(snapshot.getTermIndex());
        }
    }

    @Override
    public long takeSnapshot() throws IOException {
        byte[] bytes;
        TermIndex last;
        synchronized (this) {
            bytes = LogJson.snapshot(register);
            last = getLastAppliedTermIndex();
        }
        File file = storage.getSnapshotFile(last.getTerm(), last.getIndex());
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(bytes);
            out.getFD().sync();
        }
        MD5Hash md5 = MD5FileUtil.computeAndSaveMd5ForFile(file);
        storage.updateLatestSnapshot(new SingleFileSnapshotInfo(new FileInfo(file.toPath(), md5), last));
        return last.getIndex();
    }

    @Override
    public SimpleStateMachineStorage getStateMachineStorage() {
        return storage;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        LogAnswer answer = apply(TermIndex.valueOf(entry), entry.getStateMachineLogEntry().getLogData().toByteArray());
        changed.run();
        ByteString bytes = UnsafeByteOperations.unsafeWrap(LogJson.bytes(answer));
        return CompletableFuture.completedFuture(Message.valueOf(bytes));
    }

    /** An entry that cannot be read is refused, by all keepers alike. */
    private synchronized LogAnswer apply(TermIndex at, byte[] bytes) {
        LogAnswer answer;
        try {
            answer = register.apply(LogJson.command(bytes));
        } catch (IllegalArgumentException e) {
            log.error("an entry of the log cannot be read, and changes nothing: index={}", at.getIndex(), e);
            answer = new LogAnswer.Refused(AdminErrorCode.INVALID_VALUE, "the log cannot read it: " + e.getMessage());
        }
        updateLastAppliedTermIndex(at);
        return answer;
    }
}
