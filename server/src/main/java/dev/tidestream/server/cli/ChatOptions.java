package dev.tidestream.server.cli;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.options.LaneOptions;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.openai.responses.disk.DiskLimits;

/** Options of {@code serve} for conversations. */
final class ChatOptions {
    private static final int MAX_STORED = 1_000_000;
    private static final int DEFAULT_STORED = 1024;
    private static final int DEFAULT_ON_DISK = 10_000;

    @Option(names = "--chat-template", paramLabel = "FILE",
            description = "A chat template (Jinja) instead of the model's own.")
    private @Nullable Path template;

    @Option(names = "--stored-responses", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "64MiB",
            description = "Memory for answers of /v1/responses that later requests can go on from (default: ${DEFAULT-VALUE}).")
    private ByteSize storedBytes = new ByteSize(ServerConfig.Chats.DEFAULT.storedResponseBytes());

    @Option(names = "--stored-responses-on-disk", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "1GiB",
            description = "Room for them in the data directory, if there is one (default: ${DEFAULT-VALUE}).")
    private ByteSize diskBytes = new ByteSize(DiskLimits.DEFAULT.maxBytes());

    @Mixin
    private LaneOptions lanes = new LaneOptions();

    private int maxStored = DEFAULT_STORED;
    private int maxOnDisk = DEFAULT_ON_DISK;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--max-stored-responses", paramLabel = "N", defaultValue = "" + DEFAULT_STORED,
            description = "How many of them; the oldest give their place; 0: none is kept (default: ${DEFAULT-VALUE}).")
    void setMaxStored(int value) {
        maxStored = Check.range(spec, "--max-stored-responses", value, 0, MAX_STORED);
    }

    @Option(names = "--max-stored-responses-on-disk", paramLabel = "N", defaultValue = "" + DEFAULT_ON_DISK,
            description = "How many of them there; the oldest are deleted (default: ${DEFAULT-VALUE}).")
    void setMaxOnDisk(int value) {
        maxOnDisk = Check.range(spec, "--max-stored-responses-on-disk", value, 1, MAX_STORED);
    }

    ServerConfig.Chats config() {
        DiskLimits disk = new DiskLimits(
                maxOnDisk, Check.range(spec, "--stored-responses-on-disk", diskBytes.bytes(), 1, Long.MAX_VALUE));
        return new ServerConfig.Chats(template, maxStored, storedBytes.bytes(), disk, lanes.config());
    }
}
