package dev.tidestream.server.cli.options;

import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.server.cluster.log.Keeper;
import dev.tidestream.server.cluster.log.KeeperConfig;

/** Options of {@code serve} for the log of weight versions; without them a node's versions are its own. */
public final class KeeperOptions {
    private static final int SHOWN_CHARS = 200;

    private List<Keeper> keepers = List.of();
    private @Nullable Keeper self;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--keepers", paramLabel = "ID=HOST:PORT",
            description = "Nodes that keep the log of weight versions of a cluster, three or five, with commas between: node id, host, and a "
                    + "port for the log; HTTP between nodes is on the port after it (ID=HOST:PORT/HTTP for another). The same on all nodes.")
    void setKeepers(String value) {
        try {
            keepers = Keeper.parseAll(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--keepers must be ID=HOST:PORT, with commas between: %s (%s)"
                    .formatted(Printable.quoted(value, SHOWN_CHARS), Printable.value(String.valueOf(e.getMessage()), SHOWN_CHARS)), e);
        }
    }

    @Option(names = "--join-keepers", paramLabel = "ID=HOST:PORT",
            description = "Where this node is found as a keeper that is to be added to --keepers, in the same form.")
    void setSelf(String value) {
        try {
            self = Keeper.parse(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--join-keepers must be ID=HOST:PORT: %s (%s)"
                    .formatted(Printable.quoted(value, SHOWN_CHARS), Printable.value(String.valueOf(e.getMessage()), SHOWN_CHARS)), e);
        }
    }

    /** What they say; null for a node whose versions are its own. */
    public KeeperConfig.@Nullable Members members() {
        if (keepers.isEmpty() && self != null) {
            throw new ParameterException(spec.commandLine(), "a node joins keepers that there are: --join-keepers needs --keepers");
        }
        return keepers.isEmpty() ? null : new KeeperConfig.Members(keepers, Optional.ofNullable(self));
    }
}
