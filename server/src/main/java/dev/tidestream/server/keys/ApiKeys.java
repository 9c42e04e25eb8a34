package dev.tidestream.server.keys;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/** The keys in force, and their accounts. Any thread; they are replaced as a whole. */
public final class ApiKeys {
    private final LongSupplier nanoTime;
    private final Map<KeyRefusal, LongAdder> refusals = new EnumMap<>(KeyRefusal.class);
    private final KeyAccount anybody = KeyAccount.unlimited();
    private volatile @Nullable InForce inForce;

    private record InForce(KeyRing ring, Map<String, KeyAccount> accounts) {}

    private ApiKeys(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        for (KeyRefusal refusal : KeyRefusal.values()) {
            refusals.put(refusal, new LongAdder());
        }
    }

    /** For a server that asks nobody for a key. */
    public static ApiKeys notRequired() {
        return new ApiKeys(System::nanoTime);
    }

    /** For a server that lets in who has one of these. */
    public static ApiKeys of(KeyRing ring) {
        return of(ring, System::nanoTime);
    }

    /**
     * The same with a time of its own.
     *
     * @param nanoTime the time that limits count by, as {@link System#nanoTime}
     */
    public static ApiKeys of(KeyRing ring, LongSupplier nanoTime) {
        ApiKeys keys = new ApiKeys(nanoTime);
        keys.replace(ring);
        return keys;
    }

    /** Whether a key must be shown. */
    public boolean required() {
        return inForce != null;
    }

    /** The account of everybody, where no key is required. */
    public KeyAccount anybody() {
        return anybody;
    }

    /** The account of a key, by its text. */
    public Optional<KeyAccount> find(String text) {
        InForce now = inForce;
        return now == null ? Optional.empty()
                : now.ring().find(text).map(key -> Objects.requireNonNull(now.accounts().get(key.name())));
    }

    /**
     * Other keys from now on. Accounts go by name: who keeps the name keeps what was used, with the new limits. Keys that are gone, also those
     * in whose name another has come, ask for nothing more on connections that are open; what runs goes on, and counts on the name.
     */
    public synchronized void replace(KeyRing ring) {
        InForce before = inForce;
        Map<String, KeyAccount> gone = before == null ? Map.of() : new LinkedHashMap<>(before.accounts());
        Map<String, KeyAccount> accounts = new LinkedHashMap<>();
        List<KeyAccount> exchanged = new ArrayList<>();
        for (ApiKey key : ring.keys()) {
            KeyAccount account = gone.isEmpty() ? null : gone.remove(key.name());
            if (before == null || account == null) {
                account = new KeyAccount(new Owner(key.name()), key.limits(), nanoTime, this::refused);
            } else {
                if (before.ring().keys().stream().noneMatch(old -> old.name().equals(key.name()) && old.hash().equals(key.hash()))) {
                    exchanged.add(account);
                    account = account.successor();
                }
                account.limit(key.limits());
            }
            accounts.put(key.name(), account);
        }
        inForce = new InForce(ring, Map.copyOf(accounts));
        gone.values().forEach(KeyAccount::revoke);
        exchanged.forEach(KeyAccount::revoke);
    }

    /** Somebody was not let in. */
    public void refused(KeyRefusal why) {
        Objects.requireNonNull(refusals.get(why)).increment();
    }

    /** How often somebody was refused, for every reason. */
    public Map<KeyRefusal, Long> refusals() {
        Map<KeyRefusal, Long> counts = new EnumMap<>(KeyRefusal.class);
        refusals.forEach((why, count) -> counts.put(why, count.sum()));
        return counts;
    }

    /** What each key in force has used. */
    public List<KeyUse> use() {
        InForce now = inForce;
        return now == null ? List.of()
                : now.ring().keys().stream().map(key -> Objects.requireNonNull(now.accounts().get(key.name())).use()).toList();
    }

    @Override
    public String toString() {
        InForce now = inForce;
        return now == null ? "ApiKeys[not required]" : "ApiKeys[keys=%d]".formatted(now.ring().keys().size());
    }
}
