package dev.tidestream.server.admin.store.open;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Names and contents of the files of open transactions:
 *
 * <pre>
 * open-ID.tmp            what was asked for           fsync
 * open-ID.json         ◄ rename                       fsync of the directory
 * open-ID-SEQ.tmp        a part arrives, hashed       fsync
 * open-ID-N-SEQ-SHA.part ◄ rename                     fsync of the directory, then acknowledged
 *
 * ID   half of the SHA-256 of the update's name       N    number of the part
 * SEQ  rises: of two with one number, the later counts  SHA  of the part
 * </pre>
 */
final class OpenFiles {
    private static final Logger log = LoggerFactory.getLogger(OpenFiles.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String PREFIX = "open-";
    private static final Pattern REQUEST = Pattern.compile("open-([0-9a-f]{32})\\.json");
    private static final Pattern PART = Pattern.compile("open-([0-9a-f]{32})-([0-9]{1,9})-([0-9]{1,18})-([0-9a-f]{64})\\.part");
    private static final Pattern TEMP = Pattern.compile("open-[0-9a-f]{32}(-[0-9]{1,18})?\\.tmp");
    private static final int MAX_REQUEST_BYTES = 64 << 10;

    private final Storage storage;
    private long sequence;

    OpenFiles(Storage storage) {
        this.storage = storage;
    }

    private static String id(String updateId) {
        return Sha256.of(updateId.getBytes(UTF_8)).substring(0, 32);
    }

    String temporary(String updateId) {
        return PREFIX + id(updateId) + "-" + ++sequence + ".tmp";
    }

    String part(String updateId, int number, String sha256) {
        return "%s%s-%d-%d-%s.part".formatted(PREFIX, id(updateId), number, ++sequence, sha256);
    }

    /** Makes a request durable. */
    void write(OpenTransaction transaction) throws IOException {
        OpenRequest request = transaction.request;
        ObjectNode node = JSON.createObjectNode();
        node.put("update_id", request.updateId()).put("base_version", request.baseVersion()).put("label", request.label())
                .put("tied", request.tied()).put("hold", request.hold()).put("opened_at", transaction.openedAt.toString());
        String name = PREFIX + id(request.updateId());
        try (Storage.Sink sink = storage.create(name + ".tmp")) {
            sink.write(ByteBuffer.wrap(JSON.writeValueAsBytes(node)));
            sink.force();
        }
        storage.rename(name + ".tmp", name + ".json");
        storage.force();
    }

    /** Removes all files of a transaction: first what says that there is one. */
    void remove(OpenTransaction transaction) throws IOException {
        storage.delete(PREFIX + id(transaction.request.updateId()) + ".json");
        storage.force();
        for (OpenPart part : transaction.parts.values()) {
            storage.delete(part.fileName());
        }
    }

    /** Finds what a process before this one has left, and removes what is of no use. */
    Map<String, OpenTransaction> read() throws IOException {
        Map<String, OpenTransaction> byId = new TreeMap<>();
        for (String file : storage.list()) {
            Matcher request = REQUEST.matcher(file);
            if (request.matches()) {
                Optional<OpenTransaction> read = request(file);
                if (read.isPresent() && id(read.get().request.updateId()).equals(request.group(1))) {
                    byId.put(request.group(1), read.get());
                } else {
                    log.warn("open transaction is damaged and removed: {}", storage.path(file));
                    storage.delete(file);
                }
            } else if (TEMP.matcher(file).matches()) {
                storage.delete(file);
            }
        }
        for (String file : storage.list()) {
            Matcher part = PART.matcher(file);
            if (part.matches()) {
                take(byId.get(part.group(1)), part, file);
            }
        }
        Map<String, OpenTransaction> open = new TreeMap<>();
        byId.values().forEach(transaction -> open.put(transaction.request.updateId(), transaction));
        return open;
    }

    private void take(@Nullable OpenTransaction transaction, Matcher part, String file) throws IOException {
        long number = Long.parseLong(part.group(3));
        sequence = Math.max(sequence, number);
        if (transaction == null) {
            storage.delete(file);
            return;
        }
        OpenPart found = new OpenPart(Integer.parseInt(part.group(2)), part.group(4), storage.size(file), file);
        OpenPart other = transaction.parts.get(found.number());
        if (other != null && sequence(other.fileName()) > number) {
            storage.delete(file);
        } else {
            transaction.parts.put(found.number(), found);
            if (other != null) {
                storage.delete(other.fileName());
            }
        }
    }

    private static long sequence(String file) {
        Matcher part = PART.matcher(file);
        return part.matches() ? Long.parseLong(part.group(3)) : 0;
    }

    private Optional<OpenTransaction> request(String file) throws IOException {
        try (InputStream in = storage.open(file)) {
            JsonNode node = JSON.readTree(in.readNBytes(MAX_REQUEST_BYTES));
            if (!node.path("update_id").isTextual() || !node.path("base_version").isIntegralNumber() || !node.path("label").isTextual()
                    || !node.path("tied").isTextual()) {
                return Optional.empty();
            }
            OpenRequest request = new OpenRequest(node.path("update_id").textValue(), node.path("base_version").longValue(),
                    node.path("label").textValue(), node.path("tied").textValue(), node.path("hold").asBoolean());
            return Optional.of(new OpenTransaction(request, Instant.parse(node.path("opened_at").asText())));
        } catch (JsonProcessingException | DateTimeException e) {
            log.debug("no request: {}", file, e);
            return Optional.empty();
        }
    }
}
