package dev.tidestream.server.console.docs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * The pages of the site, in groups.
 *
 * @param groups in their order
 */
record Navigation(List<Group> groups) {
    private static final String DECISIONS = "docs/adr/";
    private static final String LAB = "docs/lab/";

    /** What has an order of its own; pages that are not named here are in a group "More". */
    private static final Map<String, List<String>> ORDER = new LinkedHashMap<>();

    static {
        ORDER.put("Start", List.of("README.md", "docs/console.md", "docs/models.md", "docs/configuration.md"));
        ORDER.put("For clients", List.of("docs/protocol.md", "docs/openai.md", "docs/adapters.md", "docs/receipts.md"));
        ORDER.put("Weights", List.of("docs/live-updates.md", "docs/weights.md", "docs/admin.md", "docs/tuning.md"));
        ORDER.put("Operation", List.of("docs/ops/README.md", "docs/security.md", "docs/limits.md", "docs/metrics.md", "docs/logging.md",
                "docs/tracing.md", "docs/loadtest.md"));
        ORDER.put("Inside", List.of("docs/ARCHITECTURE.md", "docs/GLOSSARY.md", "docs/performance.md", "docs/kernels.md",
                "docs/packed-weights.md"));
    }

    /** Titles that say more than the page's own, in a list. */
    private static final Map<String, String> TITLES = Map.of("README.md", "Overview");

    Navigation {
        groups = List.copyOf(groups);
    }

    /**
     * Pages that belong together.
     *
     * @param folded shown when it is asked for, or has the page that is read
     * @param folder that it is the content of; empty if it is of none
     */
    record Group(String title, boolean folded, String folder, List<Entry> entries) {
        Group {
            entries = List.copyOf(entries);
        }
    }

    /** A file and what it is called. */
    record Entry(String file, String title) {}

    /**
     * Of these files.
     *
     * @param title of a file
     */
    static Navigation of(DocFiles files, UnaryOperator<String> title) {
        Set<String> left = new LinkedHashSet<>(files.all());
        left.removeIf(path -> !DocLinks.isPage(path));
        List<Group> groups = new ArrayList<>();
        ORDER.forEach((name, paths) -> add(groups, name, false, "", taken(left, paths), title));
        List<String> decisions = taken(left, files.below(DECISIONS));
        List<String> lab = taken(left, files.below(LAB));
        List<String> others = left.stream().filter(path -> path.startsWith("docs/")).toList();
        add(groups, "More", false, "", taken(left, others), title);
        add(groups, "Decisions", true, DECISIONS, decisions, title);
        add(groups, "Lab", true, LAB, lab, title);
        add(groups, "Project", true, "", List.copyOf(left), title);
        return new Navigation(groups);
    }

    private static List<String> taken(Set<String> left, List<String> wanted) {
        return wanted.stream().filter(left::remove).toList();
    }

    private static void add(List<Group> groups, String name, boolean folded, String folder, List<String> files,
            UnaryOperator<String> title) {
        if (!files.isEmpty()) {
            groups.add(new Group(name, folded, folder,
                    files.stream().map(file -> new Entry(file, TITLES.getOrDefault(file, title.apply(file)))).toList()));
        }
    }

    /** What a folder is called. */
    String title(String folder) {
        return groups.stream().filter(group -> group.folder().equals(folder)).map(Group::title).findFirst().orElse(folder);
    }
}
