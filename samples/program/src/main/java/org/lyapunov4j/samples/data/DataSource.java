// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.IntFunction;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.CifarFile;
import org.lyapunov4j.samples.io.DataSetFile;
import org.lyapunov4j.samples.io.IdxFiles;
import org.lyapunov4j.samples.io.LabelledImages;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.dataset.DataSet;

/**
 * A place that training examples come from, written as {@code digits}, {@code chebyshev[:DEGREE]},
 * …
 */
public sealed interface DataSource {
  /** What {@link #parse} understands. */
  String SYNTAX =
      "digits, chebyshev[:DEGREE], mnist:DIR, cifar10:FILE, arrays:X,Y (NumPy or CSV files) or"
          + " dataset:FILE (written by DataSet.save)";

  /**
   * The examples to train on.
   *
   * @param count N ≥ 1; drawn with equal shares of the classes
   * @param targets what the network learns; ignored where the data are a regression
   * @param random decides which examples; a smaller count with an equal stream gives a subset
   * @return N examples
   * @throws IOException if a file is missing or damaged
   * @throws IllegalArgumentException if there are fewer than {@code count}
   */
  Examples load(int count, Targets targets, RandomStream random) throws IOException;

  /**
   * The usual N of these data.
   *
   * @return at least 1
   */
  default int usualCount() {
    return 30;
  }

  /**
   * Reads the written form.
   *
   * @param text as in {@link #SYNTAX}
   * @return the source; files are not looked at yet
   * @throws IllegalArgumentException if it is none of these
   */
  static DataSource parse(String text) {
    String[] parts = text.split(":", 2);
    String rest = parts.length == 2 ? parts[1] : "";
    return switch (parts[0]) {
      case "digits" -> rest.isEmpty() ? new Digits() : reject(text);
      case "chebyshev" -> rest.isEmpty() ? new Chebyshev(5) : new Chebyshev(degree(rest));
      case "mnist" -> rest.isEmpty() ? reject(text) : new Mnist(Path.of(rest));
      case "arrays" -> arrays(text, rest);
      case "dataset" -> rest.isEmpty() ? reject(text) : new Saved(Path.of(rest));
      case "cifar10" -> rest.isEmpty() ? reject(text) : new Cifar10(Path.of(rest));
      default -> reject(text);
    };
  }

  private static DataSource arrays(String text, String places) {
    String[] both = places.split(",", -1);
    return both.length == 2 && !both[0].isEmpty() && !both[1].isEmpty()
        ? new Arrays(both[0], both[1])
        : reject(text);
  }

  private static DataSource reject(String text) {
    throw new IllegalArgumentException("data must be " + SYNTAX + ", got '" + text + "'");
  }

  private static int degree(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the degree in chebyshev:DEGREE must be an integer, got '" + text + "'", e);
    }
  }

  /**
   * The 1797 handwritten digits of 8 × 8 pixels that come with this program; pixels 0 … 16 mapped
   * to 0 … 1 and every pixel centred over the chosen examples.
   */
  record Digits() implements DataSource {
    @Override
    public Examples load(int count, Targets targets, RandomStream random) throws IOException {
      DigitsTable table = DigitsTable.read();
      return choose(
              "UCI handwritten digits, pixels scaled to 0..1 and centred",
              count,
              table.labels(),
              table::image,
              targets,
              random)
          .centred();
    }

    @Override
    public String toString() {
      return "digits";
    }
  }

  /**
   * The Chebyshev polynomial T_k at equally spaced points of [−1, 1]: one input, one output.
   *
   * @param degree k, 0 … 100
   */
  record Chebyshev(int degree) implements DataSource {
    /** {@inheritDoc} */
    public Chebyshev {
      if (degree < 0 || degree > 100) {
        throw new IllegalArgumentException(
            "the degree in chebyshev:DEGREE must be 0 to 100, got " + degree);
      }
    }

    @Override
    public Examples load(int count, Targets targets, RandomStream random) {
      float[][] inputs = new float[count][1];
      float[][] values = new float[count][1];
      for (int i = 0; i < count; i++) {
        double x = count == 1 ? 0 : -1 + 2.0 * i / (count - 1);
        inputs[i][0] = (float) x;
        values[i][0] = (float) StrictMath.cos(degree * StrictMath.acos(x));
      }
      return new Examples(
          "Chebyshev polynomial of degree " + degree + " at " + count + " points of [-1, 1]",
          inputs,
          values);
    }

    @Override
    public int usualCount() {
      return 20;
    }

    @Override
    public String toString() {
      return "chebyshev:" + degree;
    }
  }

  /**
   * MNIST and its relatives from IDX files; pixels 0 … 255 mapped to 0 … 1.
   *
   * @param place as for {@link IdxFiles#read}
   */
  record Mnist(Path place) implements DataSource {
    @Override
    public Examples load(int count, Targets targets, RandomStream random) throws IOException {
      LabelledImages images = IdxFiles.read(place);
      return choose(
          "IDX images of " + place.getFileName() + ", pixels scaled to 0..1",
          count,
          images.labels(),
          i -> scaled(images.image(i)),
          targets,
          random);
    }

    private static float[] scaled(float[] pixels) {
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] /= 255;
      }
      return pixels;
    }

    @Override
    public String toString() {
      return "mnist:" + place;
    }
  }

  /**
   * CIFAR-10; every pixel standardised over the chosen examples.
   *
   * @param file in CIFAR's binary format
   */
  record Cifar10(Path file) implements DataSource {
    @Override
    public Examples load(int count, Targets targets, RandomStream random) throws IOException {
      LabelledImages images = CifarFile.read(file);
      return choose(
              "CIFAR-10 images, every pixel standardised",
              count,
              images.labels(),
              images::image,
              targets,
              random)
          .standardised();
    }

    @Override
    public String toString() {
      return "cifar10:" + file;
    }
  }

  /**
   * Features and labels from files, as they are; more than one dimension behind the first becomes
   * one.
   *
   * @param features as for {@link ArrayFile#read}, first axis for the examples
   * @param labels likewise
   */
  record Arrays(String features, String labels) implements DataSource {
    @Override
    public Examples load(int count, Targets targets, RandomStream random) throws IOException {
      return Examples.of(
              "arrays of " + features + " and " + labels,
              ArrayFile.read(features).toINDArray(),
              ArrayFile.read(labels).toINDArray())
          .some(count, random);
    }

    @Override
    public String toString() {
      return "arrays:" + features + "," + labels;
    }
  }

  /**
   * A data set of Deeplearning4j, as it is; more than one dimension behind the first becomes one.
   *
   * @param file written by {@code DataSet.save}
   */
  record Saved(Path file) implements DataSource {
    @Override
    public Examples load(int count, Targets targets, RandomStream random) throws IOException {
      DataSet data = DataSetFile.read(file);
      Input.require(
          !data.hasMaskArrays(),
          "%s must be without masks to train a dense network, got some; save it without",
          file);
      return Examples.of("data set of " + file.getFileName(), data.getFeatures(), data.getLabels())
          .some(count, random);
    }

    @Override
    public String toString() {
      return "dataset:" + file;
    }
  }

  private static Examples choose(
      String description,
      int count,
      int[] labels,
      IntFunction<float[]> inputs,
      Targets targets,
      RandomStream random) {
    Examples.requireEnough(count, labels.length);
    int[] chosen = StratifiedChoice.choose(labels, count, random);
    float[][] rows = new float[count][];
    float[][] wanted = new float[count][];
    for (int i = 0; i < count; i++) {
      rows[i] = inputs.apply(chosen[i]);
      wanted[i] = targets.of(labels[chosen[i]], 10);
    }
    return new Examples(description, rows, wanted);
  }
}
