package dev.tidestream.server.openai.responses.disk;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.admin.store.directory.DirectoryStorage;
import dev.tidestream.server.admin.store.directory.FaultyStorage;
import dev.tidestream.server.admin.store.directory.Storage;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.responses.LiveResponse;
import dev.tidestream.server.openai.responses.LiveResponse.Delta;
import dev.tidestream.server.openai.responses.LiveResponse.End;
import dev.tidestream.server.openai.responses.LiveResponse.Origin;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.responses.MemoryResponses;
import dev.tidestream.server.openai.responses.ResponseEvents;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.http.HttpError;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class DiskResponsesTest {
    private static final DiskLimits MANY = new DiskLimits(100, 1 << 20);
    private static final Owner ALICE = new Owner("alice");

    private static ObjectNode object(String name, String value) {
        return JsonNodeFactory.instance.objectNode().put(name, value);
    }

    private static LiveResponse response(int number, Status status, @Nullable Usage usage, @Nullable HttpError error) {
        List<JsonNode> conversation = List.of(object("role", "user").put("content", "Zoë \ud83d\ude00\n" + number));
        Origin origin = new Origin("resp_%02x".formatted(number), ALICE, "msg_1", 1_795_000_000L, "m/1", true, false,
                List.of(object("id", "msg_0")),
                object("user", "u"), conversation);
        return LiveResponse.ended(origin, new LiveResponse.Begin(3, Long.MIN_VALUE, "ts_1"),
                List.of(new Delta("a", "{\"token\":\"a\"}", 3, 0, 7), new Delta("\ud83d\ude00\"", "", 4, 2, 9)),
                new End(status, 1_795_000_001L, usage, error, usage == null ? null : "a.b.c"));
    }

    private static LiveResponse response(int number) {
        return response(number, Status.COMPLETED, new Usage(3, 2), null);
    }

    private static DiskResponses open(Storage storage, DiskLimits limits) throws IOException {
        return DiskResponses.open(storage, limits, new MemoryResponses(1, 1 << 20));
    }

    private static Optional<LiveResponse> find(DiskResponses responses, int number) {
        return responses.find("resp_%02x".formatted(number)).join();
    }

    /** All events of a response. */
    private static String events(LiveResponse response) {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < ResponseEvents.count(response); i++) {
            all.append(ResponseEvents.message(new JsonBytes(), response, i, null).toText()).append('\n');
        }
        return all.toString();
    }

    private static void write(Storage storage, DiskLimits limits, int from, int to) throws IOException {
        try (DiskResponses responses = open(storage, limits)) {
            for (int i = from; i < to; i++) {
                responses.end(response(i));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = "IN_PROGRESS", mode = EnumSource.Mode.EXCLUDE)
    void shouldReadWhatItWrote(Status status, @TempDir Path directory) throws Exception {
        HttpError error = status == Status.FAILED ? HttpError.of(503, "overloaded", null, "the queue is full") : null;
        LiveResponse ended = response(1, status, status == Status.FAILED || status == Status.CANCELLED ? null : new Usage(3, 2, 1), error);
        try (DiskResponses responses = open(DirectoryStorage.open(directory), MANY)) {
            responses.end(ended);
        }
        try (DiskResponses responses = open(DirectoryStorage.open(directory), MANY)) {
            LiveResponse read = find(responses, 1).orElseThrow();
            assertEquals(events(ended), events(read));
            assertEquals(ended.end(), read.end());
            assertEquals(ended.conversation(), read.conversation());
            assertEquals(ended.origin(), read.origin());
            assertEquals(status != Status.FAILED, read.canGoOn());
        }
    }

    @Test
    void shouldShowOneToItsOwnerOnlyAfterARestart(@TempDir Path directory) throws Exception {
        try (DiskResponses responses = open(DirectoryStorage.open(directory), MANY)) {
            responses.end(response(1));
        }
        try (DiskResponses responses = open(DirectoryStorage.open(directory), MANY)) {
            for (Owner other : List.of(new Owner("bob"), Owner.ANYBODY)) {
                assertTrue(responses.find("resp_01", other).join().isEmpty(), other.toString());
            }
            assertTrue(responses.find("resp_01", ALICE).join().isPresent());
        }
    }

    @Test
    void shouldKeepTheNewestInNumber() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        write(storage, new DiskLimits(3, 1 << 20), 0, 5);
        try (DiskResponses responses = open(storage.afterKill(), MANY)) {
            assertEquals(3, responses.size());
            for (int i = 0; i < 5; i++) {
                assertEquals(i >= 2, find(responses, i).isPresent(), "response " + i);
            }
            responses.end(response(5));
        }
        FaultyStorage next = storage.afterKill();
        try (DiskResponses responses = open(next, new DiskLimits(2, 1 << 20))) {
            assertEquals(2, responses.size(), "a bound that has become smaller");
            assertEquals(2, next.list().size());
        }
    }

    @Test
    void shouldKeepTheNewestInBytes() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        write(storage, MANY, 0, 1);
        long one = storage.size(storage.list().getFirst());
        write(storage, new DiskLimits(100, 2 * one + 1), 1, 5);
        try (DiskResponses responses = open(storage, new DiskLimits(100, one - 1))) {
            assertEquals(0, responses.size());
            responses.end(response(9));
        }
        assertEquals(List.of(), storage.list(), "none is larger than all may be");
        storage = new FaultyStorage();
        write(storage, new DiskLimits(100, 2 * one + 1), 0, 5);
        assertEquals(2, storage.list().size());
    }

    @Test
    void shouldDelete() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DiskResponses responses = open(storage, MANY)) {
            responses.end(response(1));
            responses.end(response(2));
            responses.end(response(3)); // the last is in memory, too
            assertTrue(responses.remove("resp_01").join());
            assertTrue(responses.remove("resp_03").join());
            assertFalse(responses.remove("resp_01").join());
            assertFalse(responses.remove("resp_04").join());
            assertTrue(find(responses, 1).isEmpty());
            assertTrue(find(responses, 3).isEmpty());
        }
        FaultyStorage next = storage.afterPowerLoss(new Random(1));
        assertEquals(1, next.list().size());
        try (DiskResponses responses = open(next, MANY)) {
            assertTrue(find(responses, 2).isPresent());
        }
    }

    @Test
    void shouldNotWriteWhatWasRemovedWhileItRan() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DiskResponses responses = open(storage, MANY)) {
            LiveResponse ended = response(1);
            responses.begin(ended);
            assertTrue(responses.remove("resp_01").join());
            responses.end(ended);
        }
        assertEquals(List.of(), storage.list());
    }

    /** Power fails at each of the operations that write the second of two. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveAllOfAResponseOrNothing(boolean before) throws Exception {
        FaultyStorage counted = new FaultyStorage();
        write(counted, MANY, 0, 1);
        int operations = counted.operations();
        int found = 0;
        for (int n = 1; n < operations; n++) { // the first is the start's
            FaultyStorage storage = new FaultyStorage();
            write(storage, MANY, 0, 1);
            storage.crashAt(n, before);
            write(storage, MANY, 1, 2);
            for (int seed = 0; seed < 8; seed++) {
                try (DiskResponses responses = open(storage.afterPowerLoss(new Random(seed)), MANY)) {
                    assertEquals(events(response(0)), events(find(responses, 0).orElseThrow()));
                    Optional<LiveResponse> second = find(responses, 1);
                    second.ifPresent(response -> assertEquals(events(response(1)), events(response)));
                    found += second.isPresent() ? 1 : 0;
                }
            }
        }
        assertTrue(found > 0, "it is durable at some point");
    }

    @Test
    void shouldGoOnWhenTheDiskIsFullAndWhenItIsNotAnyMore() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DiskResponses responses = open(storage, MANY)) {
            storage.failAt(0, 4, true, "No space left on device"); // the first operation of each of two, and clearing up after the first
            responses.end(response(1));
            assertTrue(find(responses, 1).isPresent(), "in memory");
            responses.end(response(2));
            responses.end(response(3));
        }
        assertEquals(1, storage.list().size());
        try (DiskResponses responses = open(storage, MANY)) {
            assertTrue(find(responses, 3).isPresent());
        }
    }

    /** At each operation of a write. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    void shouldLeaveNothingOfAWriteThatFailed(int operation) throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DiskResponses responses = open(storage, MANY)) {
            storage.failAt(operation, 1, false, "No space left on device");
            responses.end(response(1));
            assertTrue(find(responses, 1).isPresent(), "in memory");
        }
        assertEquals(List.of(), storage.list());
    }

    @Test
    void shouldKeepWhatWasWrittenWhenAnOlderOneCannotBeDeleted() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        DiskLimits one = new DiskLimits(1, 1 << 20);
        write(storage, one, 1, 2);
        try (DiskResponses responses = open(storage, one)) {
            storage.failAt(7, 1, true, "Input/output error"); // behind the seven of the write
            responses.end(response(2));
        }
        assertEquals(2, storage.list().size());
        try (DiskResponses responses = open(storage.afterKill(), MANY)) {
            assertTrue(find(responses, 2).isPresent());
        }
        try (DiskResponses responses = open(storage, new DiskLimits(2, 1 << 20))) {
            storage.failAt(7, 1, true, "Input/output error");
            responses.end(response(3));
            responses.end(response(4));
        }
        assertEquals(2, storage.list().size(), "the next one tries again: " + storage.list());
    }

    /** The file is read, and its response removed, before the read is done. */
    @Test
    void shouldNotBringBackWhatIsRemovedWhileItIsRead() throws Exception {
        FaultyStorage files = new FaultyStorage();
        write(files, MANY, 1, 3);
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Class<?>[] storage = {Storage.class};
        Storage slow = (Storage) Proxy.newProxyInstance(Storage.class.getClassLoader(), storage, (proxy, method, args) -> {
            if (method.getName().equals("open")) {
                reading.countDown();
                go.await();
            }
            return method.invoke(files, args);
        });
        try (DiskResponses responses = open(slow, MANY)) {
            CompletableFuture<Optional<LiveResponse>> read = responses.find("resp_01");
            reading.await();
            CompletableFuture<Boolean> removed = responses.remove("resp_01");
            go.countDown();
            read.join().ifPresent(response -> assertEquals(events(response(1)), events(response), "all of it or nothing"));
            assertTrue(removed.join());
            assertTrue(find(responses, 1).isEmpty());
        }
    }

    @Test
    void shouldNotFindWhatSomebodyElseHasDeleted() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        write(storage, MANY, 1, 3);
        try (DiskResponses responses = open(storage, MANY)) {
            storage.delete(storage.list().getFirst());
            assertTrue(find(responses, 1).isEmpty());
            assertTrue(find(responses, 2).isPresent());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}", "[1]", "{\"format\":2}", "{\"format\":1}",
        "{\"format\":1,\"origin\":{\"id\":\"resp_01\",\"item_id\":\"m\",\"created\":\"x\"}}"})
    void shouldNotFindWhatIsDamaged(String content) throws Exception {
        FaultyStorage storage = new FaultyStorage();
        storage.put("0000000000000001-resp_01.json", content.getBytes(StandardCharsets.UTF_8));
        storage.put("unfinished-0000000000000002-resp_02.json", new byte[3]);
        storage.put("notes.txt", new byte[3]);
        try (DiskResponses responses = open(storage, MANY)) {
            assertTrue(find(responses, 1).isEmpty());
            responses.end(response(1));
        }
        assertTrue(storage.list().contains("notes.txt"), "it is somebody else's");
        assertFalse(storage.list().contains("unfinished-0000000000000002-resp_02.json"));
        assertTrue(storage.list().contains("0000000000000002-resp_01.json"), storage.list().toString());
    }
}
