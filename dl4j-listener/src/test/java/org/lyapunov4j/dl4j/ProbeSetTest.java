// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.IteratorDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.MultiDataSetIteratorAdapter;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;

class ProbeSetTest {
  private static final int EXAMPLES = 100;
  private static final int[] SIZES = {60, 30, 10};

  /** Feature 0 is the number of the example, feature 1 its class. */
  private final DataSet data = data();

  @Test
  void theFirstOnes() {
    assertThat(numbers(ProbeSet.from(iterator(), ProbeSet.Choice.FIRST, 13, 1)))
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  }

  @ParameterizedTest
  @EnumSource(ProbeSet.Choice.class)
  void aSeedFixesTheChoice(ProbeSet.Choice choice) {
    ProbeSet probe = ProbeSet.from(iterator(), choice, 13, 4);
    assertThat(numbers(probe)).hasSize(13).doesNotHaveDuplicates().isSorted();
    ProbeSet again = ProbeSet.from(iterator(), choice, 13, 4);
    assertThat(again.hash()).isEqualTo(probe.hash());
    ProbeSet other = ProbeSet.from(iterator(), choice, 13, 5);
    assertThat(other.hash().equals(probe.hash())).isEqualTo(choice == ProbeSet.Choice.FIRST);
  }

  @Test
  void everyExampleCanBeChosen() {
    Set<Integer> seen = new HashSet<>();
    for (int seed = 0; seed < 60; seed++) {
      seen.addAll(numbers(ProbeSet.from(iterator(), ProbeSet.Choice.RANDOM, 13, seed)));
    }
    assertThat(seen).hasSizeGreaterThan(95);
  }

  @Test
  void stratifiedKeepsTheSharesOfTheClasses() {
    for (int seed = 0; seed < 10; seed++) {
      for (int count : new int[] {1, 7, 20, 50, 99, 100}) {
        ProbeSet probe = ProbeSet.from(iterator(), ProbeSet.Choice.STRATIFIED, count, seed);
        INDArray features = probe.data().getFeatures(0);
        double[] found = new double[3];
        for (int i = 0; i < count; i++) {
          found[(int) features.getDouble(i, 1)]++;
        }
        for (int c = 0; c < 3; c++) {
          assertThat(found[c]).isCloseTo((double) count * SIZES[c] / EXAMPLES, within(1.0));
        }
      }
    }
  }

  @Test
  void theIteratorIsReset() {
    DataSetIterator iterator = iterator();
    iterator.next();
    ProbeSet.from(iterator, ProbeSet.Choice.RANDOM, 5, 1);
    int left = 0;
    while (iterator.hasNext()) {
      left += iterator.next().numExamples();
    }
    assertThat(left).isEqualTo(EXAMPLES);
  }

  @Test
  void refusesAnIteratorThatCannotBeReset() {
    DataSetIterator once = new IteratorDataSetIterator(data.batchBy(10).iterator(), 10);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ProbeSet.from(once, ProbeSet.Choice.FIRST, 5, 1))
        .withMessageContaining("can be reset, got");
  }

  @Test
  void refusesMoreExamplesThanThereAre() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ProbeSet.from(iterator(), ProbeSet.Choice.RANDOM, 101, 1))
        .withMessage("the probe must have 1 to 100 examples of this iterator, got 101");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ProbeSet.from(iterator(), ProbeSet.Choice.RANDOM, 0, 1));
  }

  @Test
  void multiDataSetsAreTheSame() {
    ProbeSet single = ProbeSet.from(iterator(), ProbeSet.Choice.STRATIFIED, 20, 3);
    ProbeSet multi =
        ProbeSet.from(
            new MultiDataSetIteratorAdapter(iterator()), ProbeSet.Choice.STRATIFIED, 20, 3);
    assertThat(multi.hash()).isEqualTo(single.hash());
  }

  @Test
  void theIteratorsPreprocessorOrTheNormaliserIsApplied() {
    NormalizerStandardize normalizer = new NormalizerStandardize();
    normalizer.fit(data);
    DataSetIterator preprocessed = iterator();
    preprocessed.setPreProcessor(normalizer);
    ProbeSet raw = ProbeSet.from(iterator(), ProbeSet.Choice.FIRST, EXAMPLES, 1);
    String hash = raw.hash();
    ProbeSet normalized = raw.normalized(normalizer);
    assertThat(normalized.data().getFeatures(0).getColumn(0).meanNumber().doubleValue())
        .isCloseTo(0, within(1e-9));
    assertThat(ProbeSet.of(raw.data()).hash()).as("the raw probe is unchanged").isEqualTo(hash);
    assertThat(ProbeSet.from(preprocessed, ProbeSet.Choice.FIRST, EXAMPLES, 1).hash())
        .isEqualTo(normalized.hash());
  }

  /**
   * Readers, preprocessors and normalisers may draw from ND4J's generator; training must not see.
   */
  @Test
  void choosingLeavesTheGeneratorAlone() {
    DataSetIterator drawing = iterator();
    drawing.setPreProcessor(
        batch -> batch.setFeatures(batch.getFeatures().add(Nd4j.rand(DataType.DOUBLE, 1))));
    NormalizerStandardize normalizer =
        new NormalizerStandardize() {
          @Override
          public void preProcess(org.nd4j.linalg.dataset.api.DataSet set) {
            Nd4j.randn(DataType.DOUBLE, 3);
            super.preProcess(set);
          }
        };
    normalizer.fit(data);
    Nd4j.getRandom().setSeed(7);
    double[] expected = Nd4j.randn(DataType.DOUBLE, 5).toDoubleVector();
    Nd4j.getRandom().setSeed(7);
    for (ProbeSet.Choice choice : ProbeSet.Choice.values()) {
      ProbeSet.from(drawing, choice, 10, 3);
    }
    ProbeSet.of(data).normalized(normalizer);
    assertThat(Nd4j.randn(DataType.DOUBLE, 5).toDoubleVector()).isEqualTo(expected);
  }

  @Test
  void theHashSeesEveryBit() {
    String hash = ProbeSet.of(data).hash();
    assertThat(hash).matches("[0-9a-f]{64}").isEqualTo(ProbeSet.of(data.copy()).hash());
    Set<String> hashes = new HashSet<>(List.of(hash));
    DataSet other = data.copy();
    other.getFeatures().putScalar(7, 1, Math.nextUp(other.getFeatures().getDouble(7, 1)));
    assertThat(hashes.add(ProbeSet.of(other).hash())).isTrue();
    other = data.copy();
    other.getLabels().putScalar(7, 1, 0.5);
    assertThat(hashes.add(ProbeSet.of(other).hash())).isTrue();
    other = data.copy();
    other.setLabelsMaskArray(Nd4j.ones(DataType.DOUBLE, EXAMPLES, 1));
    assertThat(hashes.add(ProbeSet.of(other).hash())).isTrue();
    other = new DataSet(data.getFeatures().castTo(DataType.FLOAT), data.getLabels());
    assertThat(hashes.add(ProbeSet.of(other).hash())).isTrue();
  }

  /** The order of the elements in memory is no property of the data. */
  @Test
  void theHashDoesNotSeeTheLayout() {
    DataSet other = new DataSet(data.getFeatures().dup('f'), data.getLabels().dup('f'));
    assertThat(ProbeSet.of(other).hash()).isEqualTo(ProbeSet.of(data).hash());
  }

  private DataSetIterator iterator() {
    return new ListDataSetIterator<>(data.asList(), 16);
  }

  private static List<Integer> numbers(ProbeSet probe) {
    List<Integer> numbers = new ArrayList<>();
    for (double number : probe.data().getFeatures(0).getColumn(0).toDoubleVector()) {
      numbers.add((int) number);
    }
    return numbers;
  }

  private static DataSet data() {
    double[][] features = new double[EXAMPLES][2];
    double[][] labels = new double[EXAMPLES][3];
    int[] ends = {SIZES[0], SIZES[0] + SIZES[1], EXAMPLES};
    for (int i = 0; i < EXAMPLES; i++) {
      int shuffled = 37 * i % EXAMPLES;
      int c = (int) Arrays.stream(ends).filter(end -> shuffled >= end).count();
      features[i] = new double[] {i, c};
      labels[i][c] = 1;
    }
    return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels));
  }
}
