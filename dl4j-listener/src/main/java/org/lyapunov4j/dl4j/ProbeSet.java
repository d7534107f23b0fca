// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;
import org.nd4j.linalg.dataset.api.preprocessor.MultiDataNormalization;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The examples, with labels, of which the Gram matrix is made: a private copy, in the form in which
 * the network gets them. Chosen from an iterator, they have gone through its preprocessor; a
 * normaliser that is applied elsewhere is applied with {@link #normalized}.
 */
public final class ProbeSet {
  /** Which examples of an iterator. */
  public enum Choice {
    /** The first ones. */
    FIRST,
    /** A uniform subset. */
    RANDOM,
    /**
     * A uniform subset with the shares of the classes kept, up to rounding. The class is the
     * largest of the first labels array's entries; labels must be a matrix.
     */
    STRATIFIED
  }

  private final MultiDataSet data;
  private final String hash;

  private ProbeSet(MultiDataSet data) {
    this.data = data;
    hash = ProbeHash.of(data);
  }

  /**
   * All examples of a data set.
   *
   * @param data with features and labels; copied
   * @return the probe
   */
  public static ProbeSet of(DataSet data) {
    if (data.getFeatures() == null || data.getLabels() == null) {
      throw new IllegalArgumentException("the probe needs features and labels, got " + data);
    }
    return of(data.toMultiDataSet());
  }

  /**
   * All examples of a data set, for a network of several inputs or outputs.
   *
   * @param data with features and labels; copied
   * @return the probe
   */
  public static ProbeSet of(MultiDataSet data) {
    if (data.numFeatureArrays() == 0 || data.numLabelsArrays() == 0) {
      throw new IllegalArgumentException("the probe needs features and labels, got " + data);
    }
    return new ProbeSet(data.copy());
  }

  /**
   * Some examples of an iterator, which is read twice and reset before and after.
   *
   * @param iterator that can be reset and then gives the same examples in the same order
   * @param choice which examples
   * @param count how many, at least 1 and at most as many as there are
   * @param seed fixes the choice
   * @return the probe, in the iterator's order
   */
  public static ProbeSet from(DataSetIterator iterator, Choice choice, int count, long seed) {
    requireReset(iterator.resetSupported(), iterator);
    return isolated(
        () ->
            choose(
                iterator::reset,
                iterator::hasNext,
                () -> iterator.next().toMultiDataSet(),
                choice,
                count,
                seed));
  }

  /**
   * Some examples of an iterator, which is read twice and reset before and after.
   *
   * @param iterator that can be reset and then gives the same examples in the same order
   * @param choice which examples
   * @param count how many, at least 1 and at most as many as there are
   * @param seed fixes the choice
   * @return the probe, in the iterator's order
   */
  public static ProbeSet from(MultiDataSetIterator iterator, Choice choice, int count, long seed) {
    requireReset(iterator.resetSupported(), iterator);
    return isolated(
        () -> choose(iterator::reset, iterator::hasNext, iterator::next, choice, count, seed));
  }

  /**
   * This probe after a normaliser.
   *
   * @param normalizer already fitted
   * @return a normalised copy
   */
  public ProbeSet normalized(DataNormalization normalizer) {
    if (data.numFeatureArrays() != 1 || data.numLabelsArrays() != 1) {
      throw new IllegalArgumentException(
          "a DataNormalization needs one features and one labels array, got "
              + data.numFeatureArrays()
              + " and "
              + data.numLabelsArrays()
              + "; use a MultiDataNormalization");
    }
    MultiDataSet copy = data.copy();
    DataSet single =
        new DataSet(
            copy.getFeatures(0),
            copy.getLabels(0),
            copy.getFeaturesMaskArray(0),
            copy.getLabelsMaskArray(0));
    return isolated(
        () -> {
          normalizer.preProcess(single);
          return new ProbeSet(single.toMultiDataSet());
        });
  }

  /**
   * This probe after a normaliser, for a network of several inputs or outputs.
   *
   * @param normalizer already fitted
   * @return a normalised copy
   */
  public ProbeSet normalized(MultiDataNormalization normalizer) {
    MultiDataSet copy = data.copy();
    return isolated(
        () -> {
          normalizer.preProcess(copy);
          return new ProbeSet(copy);
        });
  }

  /**
   * The number of examples.
   *
   * @return N
   */
  public int size() {
    return Math.toIntExact(data.getFeatures(0).size(0));
  }

  /**
   * The fingerprint of the probe: equal for equal shapes, data types, values and masks.
   *
   * @return SHA-256 in hexadecimal
   */
  public String hash() {
    return hash;
  }

  @Override
  public String toString() {
    return "probe of " + size() + " examples, SHA-256 " + hash;
  }

  MultiDataSet data() {
    return data;
  }

  private static void requireReset(boolean supported, Object iterator) {
    if (!supported) {
      throw new IllegalArgumentException(
          "a probe can be chosen from an iterator that can be reset, got "
              + iterator.getClass().getName()
              + "; collect the examples into a DataSet");
    }
  }

  /** Readers, preprocessors and normalisers are code of others, and draw as they like. */
  @SuppressWarnings("try") // the isolation is only begun and closed
  private static ProbeSet isolated(Supplier<ProbeSet> work) {
    try (Isolation isolation = Isolation.begin()) {
      return work.get();
    }
  }

  private static ProbeSet choose(
      Runnable reset,
      BooleanSupplier hasNext,
      Supplier<MultiDataSet> next,
      Choice choice,
      int count,
      long seed) {
    reset.run();
    List<Integer> classes = new ArrayList<>();
    while (hasNext.getAsBoolean()) {
      MultiDataSet batch = next.get();
      int[] found = choice == Choice.STRATIFIED ? classes(batch) : new int[size(batch)];
      Arrays.stream(found).forEach(classes::add);
    }
    if (count < 1 || count > classes.size()) {
      throw new IllegalArgumentException(
          "the probe must have 1 to "
              + classes.size()
              + " examples of this iterator, got "
              + count);
    }
    boolean[] chosen = chosen(classes, choice, count, new RandomStream(seed));
    reset.run();
    List<MultiDataSet> parts = new ArrayList<>();
    int seen = 0;
    while (hasNext.getAsBoolean() && seen < classes.size()) {
      MultiDataSet batch = next.get();
      int offset = seen;
      int[] rows = IntStream.range(0, size(batch)).filter(i -> chosen[offset + i]).toArray();
      if (rows.length > 0) {
        parts.add(rows(batch, rows));
      }
      seen += size(batch);
    }
    reset.run();
    return of(org.nd4j.linalg.dataset.MultiDataSet.merge(parts));
  }

  private static boolean[] chosen(
      List<Integer> classes, Choice choice, int count, RandomStream random) {
    int[] order = IntStream.range(0, classes.size()).toArray();
    if (choice != Choice.FIRST) {
      shuffle(order, random);
    }
    if (choice == Choice.STRATIFIED) {
      order = interleaved(order, classes);
    }
    boolean[] chosen = new boolean[classes.size()];
    for (int i = 0; i < count; i++) {
      chosen[order[i]] = true;
    }
    return chosen;
  }

  private static void shuffle(int[] order, RandomStream random) {
    for (int i = order.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
  }

  /**
   * Every prefix has the shares of the classes: the i-th of the n examples of a class comes at
   * fraction (i + ½)/n.
   */
  private static int[] interleaved(int[] order, List<Integer> classes) {
    int most = classes.stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
    int[] sizes = new int[most];
    classes.forEach(c -> sizes[c]++);
    int[] met = new int[most];
    double[] place = new double[order.length];
    for (int example : order) {
      int c = classes.get(example);
      place[example] = (met[c]++ + 0.5) / sizes[c];
    }
    return Arrays.stream(order)
        .boxed()
        .sorted((a, b) -> Double.compare(place[a], place[b]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static int[] classes(MultiDataSet batch) {
    INDArray labels = batch.getLabels(0);
    if (labels.rank() != 2) {
      throw new IllegalArgumentException(
          "a stratified probe needs a matrix of labels, got shape "
              + Arrays.toString(labels.shape())
              + "; use Choice.RANDOM");
    }
    return labels.argMax(1).toIntVector();
  }

  private static int size(MultiDataSet batch) {
    return Math.toIntExact(batch.getFeatures(0).size(0));
  }

  private static MultiDataSet rows(MultiDataSet batch, int[] rows) {
    return new org.nd4j.linalg.dataset.MultiDataSet(
        rows(batch.getFeatures(), rows),
        rows(batch.getLabels(), rows),
        rows(batch.getFeaturesMaskArrays(), rows),
        rows(batch.getLabelsMaskArrays(), rows));
  }

  private static INDArray[] rows(INDArray[] arrays, int[] rows) {
    if (arrays == null) {
      return null;
    }
    INDArray[] picked = new INDArray[arrays.length];
    for (int i = 0; i < arrays.length; i++) {
      picked[i] = arrays[i] == null ? null : rows(arrays[i], rows);
    }
    return picked;
  }

  private static INDArray rows(INDArray array, int[] rows) {
    long[] shape = array.shape().clone();
    shape[0] = rows.length;
    INDArray picked = Nd4j.createUninitialized(array.dataType(), shape, 'c');
    for (int i = 0; i < rows.length; i++) {
      picked.slice(i).assign(array.slice(rows[i]));
    }
    return picked;
  }
}
