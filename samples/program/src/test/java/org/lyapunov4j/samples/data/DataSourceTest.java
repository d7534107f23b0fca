// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class DataSourceTest {
  @Test
  void digitsComeStratifiedAndCentred() throws IOException {
    Examples examples = DataSource.parse("digits").load(100, Targets.ONE_HOT, new RandomStream(3));
    DataSet data = examples.toDataSet(DataType.DOUBLE);

    assertThat(examples.size()).isEqualTo(100);
    assertThat(examples.inputWidth()).isEqualTo(64);
    assertThat(examples.outputs()).isEqualTo(10);
    assertThat(data.getFeatures().dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(data.getFeatures().mean(0).amaxNumber().doubleValue()).isLessThan(1e-7);
    assertThat(data.getFeatures().amaxNumber().doubleValue()).isBetween(0.5, 1.0);
    assertThat(data.getLabels().sum(0).toDoubleVector()).containsOnly(10.0);
    assertThat(data.getLabels().sum(1).toDoubleVector()).containsOnly(1.0);
  }

  @Test
  void theWholeTableIsTheOneOfTheRepository() throws IOException {
    DigitsTable table = DigitsTable.read();

    // First row and class counts as published.
    assertThat(table.labels()).hasSize(1797);
    assertThat(table.labels()[0]).isZero();
    assertThat(table.image(0)).startsWith(0f, 0f, 5 / 16f, 13 / 16f);
    long[] counts = new long[10];
    for (int label : table.labels()) {
      counts[label]++;
    }
    assertThat(counts).containsExactly(178, 182, 177, 183, 181, 182, 181, 179, 174, 180);
  }

  @Test
  void fewerExamplesOfASeedAreAPrefixOfMore() throws IOException {
    int[] labels = DigitsTable.read().labels();

    int[] few = StratifiedChoice.choose(labels, 7, new RandomStream(1));

    assertThat(StratifiedChoice.choose(labels, 30, new RandomStream(1))).startsWith(few);
    assertThat(StratifiedChoice.choose(labels, 7, new RandomStream(2))).isNotEqualTo(few);
  }

  @Test
  void classesTakeTurnsUntilTheyRunOut() {
    int[] labels = {0, 0, 0, 0, 0, 0, 1, 2, 2};

    int[] chosen = StratifiedChoice.choose(labels, 9, new RandomStream(4));

    assertThat(chosen).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8);
    int[] order = new int[9];
    for (int i = 0; i < 9; i++) {
      order[i] = labels[chosen[i]];
    }
    assertThat(order).containsExactly(0, 1, 2, 0, 2, 0, 0, 0, 0);
  }

  @Test
  void scalarTargetsSpanMinusOneToOne() {
    assertThat(Targets.SCALAR.of(0, 10)).containsExactly(-1);
    assertThat(Targets.SCALAR.of(9, 10)).containsExactly(1);
    assertThat(Targets.ONE_HOT.of(2, 4)).containsExactly(0, 0, 1, 0);
  }

  @Test
  void chebyshevIsThePolynomial() throws IOException {
    Examples examples =
        DataSource.parse("chebyshev:3").load(20, Targets.ONE_HOT, new RandomStream(0));
    DataSet data = examples.toDataSet(DataType.DOUBLE);

    assertThat(examples.outputs()).isEqualTo(1);
    for (int i = 0; i < 20; i++) {
      double x = data.getFeatures().getDouble(i, 0);
      assertThat(x).isCloseTo(-1 + 2 * i / 19.0, within(1e-7));
      assertThat(data.getLabels().getDouble(i, 0)).isCloseTo(4 * x * x * x - 3 * x, within(1e-6));
    }
  }

  @Test
  void cifarIsStandardisedPixelByPixel(@TempDir Path folder) throws IOException {
    byte[] images = new byte[4 * 3073];
    for (int i = 0; i < 4; i++) {
      images[i * 3073] = (byte) i;
      images[i * 3073 + 1] = (byte) (10 * i);
    }
    Path file = Files.write(folder.resolve("batch.bin"), images);

    DataSet data =
        DataSource.parse("cifar10:" + file)
            .load(4, Targets.ONE_HOT, new RandomStream(0))
            .toDataSet(DataType.DOUBLE);

    INDArray first = data.getFeatures().getColumn(0);
    assertThat(first.meanNumber().doubleValue()).isCloseTo(0, within(1e-7));
    assertThat(first.var(false).getDouble(0)).isCloseTo(1, within(1e-6));
    assertThat(data.getFeatures().getColumn(1).toDoubleVector()).containsOnly(0);
  }

  @Test
  void arraysAndDataSetsComeAsTheyAre(@TempDir Path folder) throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), "1,2\n3,4\n5,6\n");
    Path y = Files.writeString(folder.resolve("y.csv"), "10\n30\n50\n");
    Path saved = folder.resolve("data.bin");
    new DataSet(
            Nd4j.createFromArray(new float[] {1, 2, 3, 4, 5, 6}).reshape(3, 2, 1),
            Nd4j.createFromArray(new double[][] {{10}, {30}, {50}}))
        .save(saved.toFile());

    for (String text : List.of("arrays:" + x + "," + y, "dataset:" + saved)) {
      DataSource source = DataSource.parse(text);
      assertThat(source).hasToString(text);
      DataSet all = source.load(3, Targets.ONE_HOT, new RandomStream(1)).toDataSet(DataType.DOUBLE);
      assertThat(all.getLabels().toDoubleVector()).containsExactlyInAnyOrder(10, 30, 50);
      assertThat(all.getFeatures().getColumn(0).mul(10)).isEqualTo(all.getLabels().reshape(3));
      assertThat(all.getFeatures().getColumn(1).sub(1)).isEqualTo(all.getFeatures().getColumn(0));
      assertThat(source.load(2, Targets.SCALAR, new RandomStream(1)).size()).isEqualTo(2);
      assertThatThrownBy(() -> source.load(4, Targets.ONE_HOT, new RandomStream(1)))
          .hasMessageContaining("at most 3, what these data hold, got 4");
    }
    Path two = Files.writeString(folder.resolve("two.csv"), "1\n2\n");
    DataSource unpaired = DataSource.parse("arrays:" + x + "," + two);
    assertThatThrownBy(() -> unpaired.load(2, Targets.ONE_HOT, new RandomStream(1)))
        .hasMessageContaining("as many examples, got 3 and 2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "digit",
        "digits:3",
        "mnist",
        "mnist:",
        "arrays:x.npy",
        "arrays:,y.npy",
        "dataset:",
        "cifar10",
        "chebyshev:x",
        "chebyshev:101"
      })
  void refusesOtherNames(String text) {
    assertThatThrownBy(() -> DataSource.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got");
  }

  @Test
  void refusesMoreExamplesThanThereAre() {
    assertThatThrownBy(
            () -> new DataSource.Digits().load(1798, Targets.ONE_HOT, new RandomStream(0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--examples must be at most 1797, what these data hold, got 1798");
  }
}
