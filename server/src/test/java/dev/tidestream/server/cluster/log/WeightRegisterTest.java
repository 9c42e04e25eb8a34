package dev.tidestream.server.cluster.log;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.store.directory.Sha256;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The register is a function of its commands. */
class WeightRegisterTest {
    private static final int UPDATES = 10_000;
    private static final int SNAPSHOT_EVERY = 1_000;

    private final WeightRegister register = new WeightRegister();

    private LogAnswer propose(Manifest manifest) {
        return register.apply(new LogCommand.Propose(manifest));
    }

    private static Committed committed(LogAnswer answer) {
        return assertInstanceOf(LogAnswer.Accepted.class, answer, answer::toString).committed();
    }

    private static AdminErrorCode refused(LogAnswer answer) {
        return assertInstanceOf(LogAnswer.Refused.class, answer, answer::toString).code();
    }

    @Test
    void shouldNumberVersionsFromTheBaseOn() {
        assertEquals(Manifest.BASE_VERSION, register.current());
        assertEquals(2, committed(propose(Manifests.update("a", 1))).version());
        assertEquals(3, committed(propose(Manifests.update("b", 2))).version());
        assertEquals(3, register.current());
    }

    @Test
    void shouldAnswerTheSameUpdateTheSameAgain() {
        Manifest first = Manifests.update("a", 1);
        propose(first);
        propose(Manifests.update("b", 2));
        Manifest again = new Manifest(first.updateId(), first.baseVersion(), first.label(), first.baseSha256(), first.parts(),
                first.resultSha256(), first.rollbackTo(), "another-node", Instant.EPOCH.plusSeconds(9));
        Committed answer = committed(propose(again));
        assertEquals(new Committed(2, first, true), answer);
        assertEquals(3, register.current());
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        propose(Manifests.update("a", 1));
        String before = register.digest();
        assertEquals(AdminErrorCode.UPDATE_CONFLICT, refused(propose(Manifests.update("a", 2))));
        assertEquals(AdminErrorCode.STALE_BASE_VERSION, refused(propose(Manifests.update("b", 1))));
        assertEquals(AdminErrorCode.STALE_BASE_VERSION, refused(propose(Manifests.update("b", 3))));
        assertEquals(AdminErrorCode.UNKNOWN_VERSION, refused(propose(Manifests.rollback("r", 2, 2))));
        assertEquals(AdminErrorCode.UNKNOWN_VERSION, refused(propose(Manifests.rollback("r", 2, 0))));
        Manifest other = Manifests.update("c", 2);
        assertEquals(AdminErrorCode.INVALID_VALUE, refused(propose(new Manifest(other.updateId(), 2, "", Sha256.of(new byte[] {7}),
                other.parts(), other.resultSha256(), OptionalLong.empty(), "n", Instant.EPOCH))));
        assertEquals(before, register.digest());
        assertEquals(2, register.current());
    }

    @Test
    void shouldNeverPublishAnOlderVersion() {
        propose(Manifests.update("a", 1));
        propose(Manifests.update("b", 2));
        assertEquals(new LogAnswer.Published(3), register.apply(new LogCommand.Publish(3)));
        assertEquals(new LogAnswer.Published(3), register.apply(new LogCommand.Publish(2)));
        assertEquals(AdminErrorCode.UNKNOWN_VERSION, refused(register.apply(new LogCommand.Publish(4))));
        assertEquals(AdminErrorCode.UNKNOWN_VERSION, refused(register.apply(new LogCommand.Publish(0))));
        assertEquals(3, register.published());
    }

    @Test
    void shouldComeOutOfJsonAsItWentIn() {
        Manifest manifest = Manifests.update("a", 1);
        LogCommand propose = new LogCommand.Propose(manifest);
        assertEquals(propose, LogJson.command(LogJson.bytes(propose)));
        LogCommand back = new LogCommand.Propose(Manifests.rollback("r", 7, 3));
        assertEquals(back, LogJson.command(LogJson.bytes(back)));
        LogCommand publish = new LogCommand.Publish(7);
        assertEquals(publish, LogJson.command(LogJson.bytes(publish)));
        for (LogAnswer answer : List.of(new LogAnswer.Accepted(new Committed(2, manifest, true)), new LogAnswer.Published(9),
                new LogAnswer.Refused(AdminErrorCode.STALE_BASE_VERSION, "base_version=1"))) {
            assertEquals(answer, LogJson.answer(LogJson.bytes(answer)));
        }
    }

    /** Three copies, one of which is exchanged for its snapshot now and then: the same answers, the same digest, the same versions. */
    @Test
    void shouldBeTheSameOnAllKeepersWhateverIsProposed() {
        long seed = 0x5eed_0046;
        SplittableRandom random = new SplittableRandom(seed);
        List<WeightRegister> copies = new ArrayList<>(List.of(new WeightRegister(), new WeightRegister(), new WeightRegister()));
        int refused = 0;
        for (int i = 0; i < UPDATES; i++) {
            byte[] command = LogJson.bytes(random(random, copies.getFirst().current(), i));
            LogAnswer answer = copies.getFirst().apply(LogJson.command(command));
            refused += answer instanceof LogAnswer.Refused ? 1 : 0;
            assertEquals(answer, copies.get(1).apply(LogJson.command(command)), () -> "seed=" + seed);
            assertEquals(answer, copies.get(2).apply(LogJson.command(command)), () -> "seed=" + seed);
            if (i % SNAPSHOT_EVERY == SNAPSHOT_EVERY / 2) {
                copies.set(2, LogJson.register(LogJson.snapshot(copies.get(2))));
            }
        }
        assertTrue(copies.getFirst().current() > UPDATES / 3, () -> "seed=" + seed);
        assertNotEquals(0, refused, () -> "seed=" + seed);
        for (WeightRegister copy : copies) {
            assertEquals(copies.getFirst().digest(), copy.digest(), () -> "seed=" + seed);
            assertEquals(copies.getFirst().versions(), copy.versions(), () -> "seed=" + seed);
            assertEquals(copies.getFirst().published(), copy.published(), () -> "seed=" + seed);
        }
    }

    private static LogCommand random(SplittableRandom random, long current, int i) {
        return switch (random.nextInt(10)) {
            case 0, 1 -> new LogCommand.Propose(Manifests.rollback("back-" + i, current, random.nextLong(current + 1)));
            case 2 -> new LogCommand.Propose(Manifests.update("update-" + random.nextInt(i + 1), random.nextLong(1, current + 1)));
            case 3 -> new LogCommand.Propose(Manifests.update("stale-" + i, current - 1));
            case 4, 5 -> new LogCommand.Publish(random.nextLong(current + 2));
            default -> new LogCommand.Propose(Manifests.update("update-" + i, current));
        };
    }
}
