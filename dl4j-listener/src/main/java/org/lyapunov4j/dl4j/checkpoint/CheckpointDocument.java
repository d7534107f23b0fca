// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.LyapunovSpectrum;
import org.lyapunov4j.exponent.MomentExponent;
import org.lyapunov4j.stability.StabilityReport;

/**
 * All that a checkpoint says, once: a list of entries, each with a stable key, a value, a unit, a
 * label and a sentence of help. Record, metrics, UI, log, reports and command line are made of it.
 *
 * <p>Keys are paths of names, such as {@code exponent.value}; {@link #fields()} is the table of
 * them. What was not computed, and what the level does not allow, has no entry. Where an exponent
 * is only bounded there is no {@code exponent.value}, but {@code exponent.low}, {@code
 * exponent.high} and {@code exponent.reason}. Immutable; equal if the entries are.
 */
public final class CheckpointDocument {
  private final List<Field> schema;
  private final Map<String, Entry> entries;

  /** What an entry may hold. */
  public sealed interface Value {
    /**
     * What it holds.
     *
     * @return a Double, Long, Boolean, String or Instant, or a list of Doubles, Strings or
     *     documents
     */
    Object content();

    /**
     * A real number.
     *
     * @param value may be infinite, or NaN where it is undefined
     */
    record Real(double value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * A number that something is at least: a proven bound, or the lower end of an interval.
     *
     * @param value may be −∞
     */
    record LowerBound(double value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * A number that something is at most: a proven bound, or the upper end of an interval.
     *
     * @param value may be +∞
     */
    record UpperBound(double value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * A whole number.
     *
     * @param value of any sign
     */
    record Count(long value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * Yes or no.
     *
     * @param value the answer
     */
    record Flag(boolean value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * A word or a sentence.
     *
     * @param value not null
     */
    record Text(String value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * Sentences.
     *
     * @param values at least one
     */
    record Sentences(List<String> values) implements Value {
      /** {@inheritDoc} */
      public Sentences {
        values = List.copyOf(values);
      }

      @Override
      public Object content() {
        return values;
      }
    }

    /**
     * Numbers in a meaningful order.
     *
     * @param values at least one
     */
    record Numbers(List<Double> values) implements Value {
      /** {@inheritDoc} */
      public Numbers {
        values = List.copyOf(values);
      }

      @Override
      public Object content() {
        return values;
      }
    }

    /**
     * A point in time.
     *
     * @param value not null
     */
    record Time(Instant value) implements Value {
      @Override
      public Object content() {
        return value;
      }
    }

    /**
     * Documents inside of this one.
     *
     * @param values at least one, in a meaningful order
     */
    record Parts(List<CheckpointDocument> values) implements Value {
      /** {@inheritDoc} */
      public Parts {
        values = List.copyOf(values);
      }

      @Override
      public Object content() {
        return values;
      }
    }
  }

  /** Whether a field is of the checkpoint as a whole or of what was found of one Gram matrix. */
  public enum Section {
    /** Of the checkpoint. */
    CHECKPOINT,
    /** Of the findings, and hence of each smaller probe too. */
    FINDINGS
  }

  /**
   * What an entry is, whatever its value.
   *
   * @param key stable path of names
   * @param type of its values
   * @param section where it belongs
   * @param label a few words, or the symbol
   * @param unit empty for a plain number and for text
   * @param help one sentence
   * @param parts the fields of the documents inside; empty but for {@link Value.Parts}
   */
  public record Field(
      String key,
      Class<? extends Value> type,
      Section section,
      String label,
      String unit,
      String help,
      List<Field> parts) {
    /** {@inheritDoc} */
    public Field {
      parts = List.copyOf(parts);
    }
  }

  /**
   * An entry.
   *
   * @param field what it is
   * @param value of the field's type
   */
  public record Entry(Field field, Value value) {
    /** {@inheritDoc} */
    public Entry {
      if (!field.type().isInstance(value)) {
        throw new IllegalArgumentException(
            field.key() + " must be a " + field.type().getSimpleName() + ", got " + value);
      }
    }

    /**
     * The key of the field.
     *
     * @return stable path of names
     */
    public String key() {
      return field.key();
    }
  }

  private CheckpointDocument(List<Field> schema, List<Entry> entries) {
    this.schema = schema;
    this.entries = new LinkedHashMap<>();
    for (Entry entry : entries) {
      if (!schema.contains(entry.field()) || this.entries.put(entry.key(), entry) != null) {
        throw new IllegalArgumentException(
            "a document must have one entry for each of its fields, got another or a second "
                + entry.key());
      }
    }
  }

  /**
   * What a checkpoint says.
   *
   * @param checkpoint of any level
   * @return its document
   */
  public static CheckpointDocument of(Checkpoint checkpoint) {
    return new DocumentWriter(Fields.ALL).checkpoint(checkpoint);
  }

  /**
   * What a report says, without a checkpoint around it.
   *
   * @param report of one Gram matrix
   * @return its document
   */
  public static CheckpointDocument of(StabilityReport report) {
    return new DocumentWriter(Fields.FINDINGS).findings(report, report.verdict());
  }

  /**
   * What a report says, with what was computed beside it.
   *
   * @param report of one Gram matrix
   * @param seconds that all of it took
   * @param spectrum the largest exponents
   * @param moments moment exponents; empty if none were asked for
   * @param finiteTime finite-time exponents
   * @return the document of all
   */
  public static CheckpointDocument of(
      StabilityReport report,
      double seconds,
      Optional<LyapunovSpectrum> spectrum,
      List<MomentExponent> moments,
      Optional<FiniteTimeExponents> finiteTime) {
    return new DocumentWriter(Fields.ALL).analysis(report, seconds, spectrum, moments, finiteTime);
  }

  /**
   * What finite-time exponents say, alone.
   *
   * @param exponents of an ensemble of realisations
   * @return its document
   */
  public static CheckpointDocument of(FiniteTimeExponents exponents) {
    return new DocumentWriter(Fields.ALL).alone(exponents);
  }

  /**
   * A document of given entries, as a reader of a record makes it.
   *
   * @param schema the fields there may be: {@link #fields()}, or the parts of one of them
   * @param entries at most one for each field
   * @return the document, in the given order
   */
  public static CheckpointDocument of(List<Field> schema, List<Entry> entries) {
    return new CheckpointDocument(List.copyOf(schema), entries);
  }

  /**
   * All fields that the document of a checkpoint can have.
   *
   * @return in their order
   */
  public static List<Field> fields() {
    return Fields.ALL;
  }

  /**
   * The entries.
   *
   * @return in the order of the fields
   */
  public List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  /**
   * The entries of a group, such as those of {@code trajectory}.
   *
   * @param path what their keys begin with, up to a dot
   * @return in the order of the fields; empty if there are none
   */
  public List<Entry> entries(String path) {
    return entries.values().stream().filter(e -> e.key().startsWith(path + ".")).toList();
  }

  /**
   * The entries of a section, such as all that was found of one Gram matrix.
   *
   * @param section of the document
   * @return in the order of the fields
   */
  public List<Entry> entries(Section section) {
    return entries.values().stream().filter(e -> e.field().section() == section).toList();
  }

  /**
   * An entry.
   *
   * @param key of a field
   * @return empty if it was not computed
   */
  public Optional<Entry> entry(String key) {
    return Optional.ofNullable(find(key));
  }

  /**
   * Whether there is an entry.
   *
   * @param key of a field
   * @return false if it was not computed
   */
  public boolean has(String key) {
    return find(key) != null;
  }

  /**
   * A number, bound or count.
   *
   * @param key of a field
   * @return NaN if there is none, or it is undefined
   */
  public double number(String key) {
    Entry entry = find(key);
    return entry == null ? Double.NaN : numeric(entry);
  }

  private static double numeric(Entry entry) {
    if (entry.value() instanceof Value.Real number) {
      return number.value();
    }
    if (entry.value() instanceof Value.LowerBound bound) {
      return bound.value();
    }
    if (entry.value() instanceof Value.UpperBound bound) {
      return bound.value();
    }
    if (entry.value() instanceof Value.Count count) {
      return count.value();
    }
    throw mismatch(entry, "a number");
  }

  /**
   * A word or a sentence.
   *
   * @param key of a field
   * @return empty if there is none
   */
  public Optional<String> text(String key) {
    return Optional.ofNullable(find(key))
        .map(entry -> value(Value.Text.class, entry, "a text").value());
  }

  /**
   * Sentences.
   *
   * @param key of a field
   * @return empty if there are none
   */
  public List<String> sentences(String key) {
    return Optional.ofNullable(find(key))
        .map(entry -> value(Value.Sentences.class, entry, "a list of sentences").values())
        .orElse(List.of());
  }

  /**
   * A point in time.
   *
   * @param key of a field
   * @return empty if there is none
   */
  public Optional<Instant> time(String key) {
    return Optional.ofNullable(find(key))
        .map(entry -> value(Value.Time.class, entry, "a time").value());
  }

  /**
   * Documents inside of this one.
   *
   * @param key of a field
   * @return empty if there are none
   */
  public List<CheckpointDocument> parts(String key) {
    return Optional.ofNullable(find(key))
        .map(entry -> value(Value.Parts.class, entry, "a list of documents").values())
        .orElse(List.of());
  }

  /**
   * The iteration.
   *
   * @return the model's counter; −1 in a document without a checkpoint
   */
  public int iteration() {
    return entries.containsKey("iteration") ? (int) number("iteration") : -1;
  }

  /**
   * Whether there are λ and a verdict.
   *
   * @return false where training is only observed, and for gauges
   */
  public boolean hasStability() {
    return entries.containsKey("verdict");
  }

  /**
   * What nobody who reads a number of this document may miss: what was assumed, what went wrong and
   * was replaced, what is remarkable about the Gram matrix, why something is only bounded, and what
   * is not complete.
   *
   * @return one sentence each, none twice
   */
  public List<String> cautions() {
    List<String> all = new ArrayList<>();
    for (String key : Fields.CAUTIONS) {
      Entry entry = entries.get(key);
      if (entry != null) {
        all.addAll(
            entry.value() instanceof Value.Text text
                ? List.of(Fields.caution(key, text.value()))
                : sentences(key));
      }
    }
    return all.stream().distinct().toList();
  }

  /**
   * An exponent in words.
   *
   * @param exponent the path of its entries, {@code exponent} or {@code gdExponent}
   * @return its value, with the standard error of an estimate; its bounds where there is no value;
   *     empty if it was not computed
   */
  public Optional<String> words(String exponent) {
    if (!has(exponent + ".low")) {
      return Optional.empty();
    }
    if (!has(exponent + ".value")) {
      return Optional.of(
          "between "
              + bound(number(exponent + ".low"))
              + " and "
              + bound(number(exponent + ".high")));
    }
    double value = number(exponent + ".value");
    double error = number(exponent + ".standardError");
    return Optional.of(
        has(exponent + ".steps") || error > 0
            ? String.format(Locale.ROOT, "%.4g ± %.2g", value, error)
            : String.format(Locale.ROOT, "%.4g", value));
  }

  private static String bound(double value) {
    return value == 0 ? "0" : String.format(Locale.ROOT, "%.2g", value);
  }

  private Entry find(String key) {
    Entry entry = entries.get(key);
    if (entry == null && schema.stream().noneMatch(field -> field.key().equals(key))) {
      throw new IllegalArgumentException(
          "a key must be that of a field of the document, got " + key + "; fields() lists them");
    }
    return entry;
  }

  private static <V extends Value> V value(Class<V> type, Entry entry, String what) {
    if (!type.isInstance(entry.value())) {
      throw mismatch(entry, what);
    }
    return type.cast(entry.value());
  }

  private static IllegalArgumentException mismatch(Entry entry, String what) {
    return new IllegalArgumentException(
        what + " must be asked for under the key of one, got " + entry);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CheckpointDocument that && entries.equals(that.entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  /** The entries, one on a line. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Entry entry : entries.values()) {
      text.append(entry.key()).append(" = ").append(entry.value()).append('\n');
    }
    return text.toString();
  }
}
