// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.io.ArrayFile;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class GramCommandTest {
  private static final INDArray X =
      Nd4j.createFromArray(new double[][] {{0.3, 0.2}, {0.4, 0.5}, {1.2, 0.2}});
  private static final INDArray Y =
      Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}, {0.5, 0.5}});

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private static NeuralNetConfiguration.Builder conf() {
    return new NeuralNetConfiguration.Builder().seed(7).dataType(DataType.DOUBLE);
  }

  private static OutputLayer output(int in) {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(in)
        .nOut(2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            conf()
                .list()
                .layer(new DenseLayer.Builder().nIn(2).nOut(3).activation(Activation.TANH).build())
                .layer(output(3))
                .build());
    network.init();
    return network;
  }

  private Path save(Model model) throws IOException {
    Path file = folder.resolve("model.zip");
    ModelSerializer.writeModel(model, file.toFile(), true);
    return file;
  }

  /** As {@code numpy.save} does. */
  private Path save(String name, INDArray array, boolean columnMajor) throws IOException {
    String shape = Arrays.toString(array.shape()).replace('[', '(').replace(']', ')');
    String header =
        "{'descr': '<f8', 'fortran_order': "
            + (columnMajor ? "True" : "False")
            + ", 'shape': "
            + shape
            + ", }\n";
    double[] entries = (columnMajor ? array.dup('f') : array.dup('c')).data().asDouble();
    ByteBuffer bytes =
        ByteBuffer.allocate(10 + header.length() + 8 * entries.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    bytes.putShort((short) header.length());
    bytes.put(header.getBytes(StandardCharsets.US_ASCII));
    for (double entry : entries) {
      bytes.putDouble(entry);
    }
    return Files.write(folder.resolve(name), bytes.array());
  }

  private int run(Path model, Path x, Path y, String... more) {
    List<String> args =
        new ArrayList<>(List.of("gram", "--model=" + model, "--features=" + x, "--labels=" + y));
    args.addAll(List.of(more));
    if (args.stream().noneMatch(arg -> arg.startsWith("--out="))) {
      args.add("--out=" + folder.resolve("G.npy"));
    }
    return run(args.toArray(String[]::new));
  }

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  /** J Jᵀ by central differences of the model's own outputs, example by example. */
  private static double[][] kernel(MultiLayerNetwork network, INDArray x) {
    INDArray theta = network.params().dup();
    double[][] gram = null;
    double h = 1e-5;
    for (int p = 0; p < theta.length(); p++) {
      INDArray moved = theta.dup();
      moved.putScalar(p, theta.getDouble(p) + h);
      network.setParams(moved);
      INDArray difference = network.output(x.dup());
      moved.putScalar(p, theta.getDouble(p) - h);
      network.setParams(moved);
      difference = difference.sub(network.output(x.dup()));
      INDArray rows = difference.rank() == 3 ? difference.permute(0, 2, 1) : difference;
      double[] column = rows.dup('c').data().asDouble();
      gram = gram == null ? new double[column.length][column.length] : gram;
      for (int r = 0; r < column.length; r++) {
        for (int c = 0; c < column.length; c++) {
          gram[r][c] += column[r] * column[c] / (4 * h * h);
        }
      }
    }
    network.setParams(theta);
    return gram;
  }

  private void assertWritten(double[][] expected) throws IOException {
    double[][] written = ArrayFile.readMatrix(folder.resolve("G.npy").toString()).doubles();
    assertThat(written.length).isEqualTo(expected.length);
    for (int r = 0; r < expected.length; r++) {
      assertThat(written[r]).containsExactly(expected[r], within(1e-7));
    }
  }

  @Test
  void writesTheKernelAndTheCertificateAndExponentReadsIt() throws IOException {
    MultiLayerNetwork network = network();
    Path y = save("Y.npy", Y, false);
    for (boolean columnMajor : new boolean[] {false, true}) {
      int status = run(save(network), save("X.npy", X, columnMajor), y, "--plain", "--format=json");
      assertThat(err.toString()).isEmpty();
      assertThat(status).isZero();
      assertWritten(kernel(network, X));
      JsonNode json = new ObjectMapper().readTree(out.toString());
      assertThat(json.get("examples").intValue()).isEqualTo(3);
      assertThat(json.get("outputs").intValue()).isEqualTo(2);
      assertThat(json.get("weighting").textValue()).isEqualTo("plain");
      assertThat(json.get("spotRows").intValue()).isEqualTo(2);
      assertThat(json.get("spotDeviation").doubleValue()).isLessThan(1e-13);
      assertThat(json.has("smallestEigenvalue")).isFalse();
      out.getBuffer().setLength(0);
    }
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(out, true))
            .execute(
                "exponent",
                "--gram=" + folder.resolve("G.npy"),
                "--learning-rate=0.1",
                "--batch-size=1",
                "--outputs=2",
                "--tier=economy");
    assertThat(status).isZero();
    assertThat(out.toString()).contains("3 examples × 2 outputs");
  }

  @Test
  void layersInSinglePrecisionAddUp() throws IOException {
    int status =
        run(
            save(network()),
            save("X.npy", X, false),
            save("Y.npy", Y, false),
            "--layers",
            "--float",
            "--eigenvalues");
    assertThat(err.toString()).isEmpty();
    assertThat(status).isZero();
    float[][] whole = ArrayFile.readMatrix(folder.resolve("G.npy").toString()).floats();
    float[][] first = ArrayFile.readMatrix(folder.resolve("G.layer0.npy").toString()).floats();
    float[][] second = ArrayFile.readMatrix(folder.resolve("G.layer1.npy").toString()).floats();
    for (int r = 0; r < 6; r++) {
      for (int c = 0; c < 6; c++) {
        assertThat(first[r][c] + second[r][c]).isCloseTo(whole[r][c], within(1e-6f));
      }
    }
    assertThat(out.toString()).contains("curvature", "κ_min", "layer0", "2 rows");
  }

  @Test
  void takesTimeSeriesWithMasks() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            conf()
                .list()
                .layer(new SimpleRnn.Builder().nIn(2).nOut(3).activation(Activation.TANH).build())
                .layer(
                    new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.recurrent(2, 3))
                .build());
    network.init();
    INDArray x = Nd4j.linspace(DataType.DOUBLE, -1, 0.2, 12).reshape('c', 2, 2, 3);
    INDArray mask = Nd4j.createFromArray(new double[][] {{1, 1, 1}, {1, 1, 0}});
    int status =
        run(
            save(network),
            save("X.npy", x, false),
            save("Y.npy", Nd4j.zeros(DataType.DOUBLE, 2, 2, 3), false),
            "--plain",
            "--labels-mask=" + save("M.npy", mask, false));
    assertThat(err.toString()).isEmpty();
    assertThat(status).isZero();
    double[][] expected = kernel(network, x);
    for (int masked = 10; masked < 12; masked++) {
      for (int r = 0; r < 12; r++) {
        expected[masked][r] = 0;
        expected[r][masked] = 0;
      }
    }
    assertWritten(expected);
  }

  @Test
  void takesImagesAndGraphs() throws IOException {
    MultiLayerNetwork images =
        new MultiLayerNetwork(
            conf()
                .list()
                .layer(
                    new ConvolutionLayer.Builder(2, 2).nOut(2).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.convolutional(3, 3, 1))
                .build());
    images.init();
    INDArray x = Nd4j.linspace(DataType.DOUBLE, -1, 0.1, 27).reshape('c', 3, 1, 3, 3);
    Path y = save("Y.npy", Y, false);
    assertThat(run(save(images), save("X.npy", x, true), y, "--plain")).isZero();
    assertWritten(kernel(images, x));
    ComputationGraph graph =
        new ComputationGraph(
            conf()
                .graphBuilder()
                .addInputs("x")
                .addLayer("y", output(2), "x")
                .setOutputs("y")
                .build());
    graph.init();
    assertThat(run(save(graph), save("X.npy", X, false), y, "--plain")).isZero();
    double[][] written = ArrayFile.readMatrix(folder.resolve("G.npy").toString()).doubles();
    assertThat(written[0]).containsExactly(new double[] {1.13, 0, 1.22, 0, 1.4, 0}, within(1e-12));
  }

  @Test
  void takesTablesAndDataSets() throws IOException {
    Path model = save(network());
    Path y = save("Y.npy", Y, false);
    assertThat(run(model, save("X.npy", X, false), y)).isZero();
    double[][] expected = written();

    Path table = folder.resolve("X.csv");
    try (PrintWriter writer = new PrintWriter(Files.newBufferedWriter(table))) {
      for (double[] row : X.toDoubleMatrix()) {
        writer.println(Arrays.stream(row).mapToObj(Double::toString).collect(joining(",")));
      }
    }
    assertThat(run(model, table, y)).isZero();
    assertThat(written()).isDeepEqualTo(expected);

    Path dataSet = folder.resolve("data.bin");
    new DataSet(X, Y).save(dataSet.toFile());
    assertThat(run("gram", "--model=" + model, "--dataset=" + dataSet, "--out=" + gramFile()))
        .isZero();
    assertThat(written()).isDeepEqualTo(expected);
  }

  @Test
  void refusesExamplesGivenTwiceOrByHalf() throws IOException {
    Path model = save(network());
    Path x = save("X.npy", X, false);
    assertRefused(
        run("gram", "--model=" + model, "--features=" + x, "--out=" + gramFile()),
        "--features and --labels must be given, got " + x + " and null; or give --dataset");
    assertRefused(
        run("gram", "--model=" + model, "--features=" + x, "--dataset=" + x, "--out=" + gramFile()),
        "--dataset must come without --features");
  }

  private Path gramFile() {
    return folder.resolve("G.npy");
  }

  private double[][] written() throws IOException {
    return ArrayFile.readMatrix(gramFile().toString()).doubles();
  }

  @Test
  void refusesWrongFilesInOneLine() throws IOException {
    Path model = save(network());
    Path x = save("X.npy", X, false);
    Path y = save("Y.npy", Y, false);
    assertRefused(run(folder.resolve("absent.zip"), x, y), "absent.zip: the model must be");
    assertRefused(run(x, x, y), "a model must be a zip archive");
    Path zip = folder.resolve("other.zip");
    try (var stream = new java.util.zip.ZipOutputStream(Files.newOutputStream(zip))) {
      stream.putNextEntry(new java.util.zip.ZipEntry("a"));
    }
    assertRefused(run(zip, x, y), "must hold configuration.json");
    assertRefused(run(model, model, y), "must hold NumPy arrays, got a zip archive without");
    Path four = save("four.npy", Nd4j.zeros(DataType.DOUBLE, 4, 2), false);
    assertRefused(run(model, x, four), "as many examples, got 3 and 4");
    Path wide = save("wide.npy", Nd4j.zeros(DataType.DOUBLE, 3, 5), false);
    assertRefused(run(model, wide, y), "features");
    assertRefused(run(model, x, wide), "[3, 2] of the model's output, got [3, 5]");
    assertRefused(run(model, x, y, "--out=" + folder.resolve("no/G.npy")), "folder that exists");
  }

  private void assertRefused(int status, String complaint) {
    assertThat(status).isEqualTo(2);
    assertThat(err.toString().strip()).startsWith("lyapunov4j gram: ").contains(complaint);
    assertThat(err.toString().strip().lines()).hasSize(1);
    err.getBuffer().setLength(0);
  }
}
