// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.io.NpyFile;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Truth: with a diagonal G every row is on its own, λ = max_i (B/N) log|1 − ηg_i/B|, and both
 * critical rates are 2B/g_max, whatever K.
 */
class WhatIfCommandTest {
  private static final double[] DIAGONAL = {1, 0.8, 0.5, 1.6, 0.9, 1.2, 0.7, 0.6};

  @TempDir private Path folder;

  private Path diagonal() throws IOException {
    double[][] gram = new double[DIAGONAL.length][DIAGONAL.length];
    for (int i = 0; i < DIAGONAL.length; i++) {
      gram[i][i] = DIAGONAL[i];
    }
    Path file = folder.resolve("G.npy");
    NpyFile.write(file, gram);
    return file;
  }

  private static double exponent(int examples, int batch, double rate) {
    double most = Double.NEGATIVE_INFINITY;
    for (double g : DIAGONAL) {
      most = Math.max(most, (double) batch / examples * Math.log(Math.abs(1 - rate * g / batch)));
    }
    return most;
  }

  private JsonNode json(String... args) throws IOException {
    Path file = folder.resolve("map.json");
    List<String> all = new ArrayList<>(List.of("what-if", "--json=" + file));
    all.addAll(List.of(args));
    Outcome outcome = Outcome.of(all.toArray(String[]::new));
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    return new ObjectMapper().readTree(file.toFile());
  }

  @Test
  void aDiagonalMatrixHasItsClosedForm() throws IOException {
    for (int outputs : new int[] {1, 2}) {
      int examples = DIAGONAL.length / outputs;
      JsonNode map =
          json(
              "--gram=" + diagonal(),
              "--outputs=" + outputs,
              "--learning-rates=0.5,4,1.8",
              "--max-epochs=4096");
      JsonNode sheet = map.get("sheets").get(0);
      for (JsonNode edges : sheet.get("edges")) {
        int batch = edges.get("batchSize").asInt();
        double edge = 2 * batch / 1.6;
        assertThat(edges.get("low").asDouble()).isLessThanOrEqualTo(edge * (1 + 1e-9));
        assertThat(edges.get("high").asDouble()).isGreaterThanOrEqualTo(edge * (1 - 1e-9));
        assertThat(edges.get("critical").asDouble()).isCloseTo(edge, withinPercentage(3));
        assertThat(edges.get("meanSquare").asDouble()).isCloseTo(edge, withinPercentage(0.01));
        assertThat(edges.get("fullBatch").asDouble())
            .isCloseTo(2 * examples / 1.6, withinPercentage(0.01));
      }
      int steps = 0;
      for (JsonNode step : sheet.get("steps")) {
        int batch = step.get("batchSize").asInt();
        double rate = step.get("learningRate").asDouble();
        double truth = exponent(examples, batch, rate);
        assertThat(step.get("verdict").textValue()).isEqualTo(truth < 0 ? "STABLE" : "UNSTABLE");
        if (truth > 0) {
          assertThat(step.get("exponent").get("value").asDouble())
              .isCloseTo(
                  truth, within(1e-9 + 5 * step.get("exponent").get("standardError").asDouble()));
        }
        assertThat(step.get("edgeRatio").asDouble())
            .isCloseTo(rate / (2 * batch / 1.6), withinPercentage(3));
        steps++;
      }
      assertThat(steps).isEqualTo(3 * sheet.get("edges").size());
      assertThat(map.get("outputs").asInt()).isEqualTo(outputs);
    }
  }

  /** N = 1: λ = log|1 − ηg|, exactly. */
  @Test
  void oneExampleIsGradientDescent() throws IOException {
    Path gram = folder.resolve("one.npy");
    NpyFile.write(gram, new double[][] {{0.5}});
    JsonNode step =
        json("--gram=" + gram, "--learning-rates=3").get("sheets").get(0).get("steps").get(0);
    assertThat(step.get("exponent").get("value").asDouble())
        .isCloseTo(Math.log(0.5), within(1e-12));
  }

  /** Full-batch thresholds of theory.md: heavy ball (2 + 2β)/κ, Nesterov (2 + 2β)/((1 + 2β)κ). */
  @Test
  void momentumMovesTheFullBatchEdge() throws IOException {
    double kappa = 1.6 / DIAGONAL.length;
    String[] args = {"--gram=" + diagonal(), "--batch-sizes=8", "--momentum=0,0.9"};
    JsonNode nesterov = json(args[0], args[1], args[2]).get("sheets");
    JsonNode heavyBall = json(args[0], args[1], args[2], "--heavy-ball").get("sheets");
    assertThat(edge(nesterov.get(0))).isCloseTo(2 / kappa, within(1e-9));
    assertThat(edge(nesterov.get(1))).isCloseTo(3.8 / 2.8 / kappa, within(1e-9));
    assertThat(edge(heavyBall.get(1))).isCloseTo(3.8 / kappa, within(1e-9));
    assertThat(nesterov.get(1).get("momentum").textValue()).isEqualTo("Nesterov momentum 0.9");
  }

  private static double edge(JsonNode sheet) {
    return sheet.get("edges").get(0).get("critical").asDouble();
  }

  @Test
  void theUsualGridHoldsTheEdges() throws IOException {
    Path csv = folder.resolve("map.csv");
    Path plot = folder.resolve("map.png");
    Outcome outcome =
        Outcome.of("what-if", "--gram=" + diagonal(), "--csv=" + csv, "--plot=" + plot);
    assertThat(outcome.status()).isZero();
    assertThat(outcome.out()).contains("η/η_c", "η_ms", "S stable");
    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(1 + 13 * 4); // B = 1, 2, 4, 8
    assertThat(lines.get(0)).startsWith("momentum,batch_size,learning_rate,exponent");
    assertThat(lines.subList(1, lines.size()))
        .allMatch(line -> line.split(",", -1).length == lines.get(0).split(",", -1).length)
        .anyMatch(line -> line.contains(",STABLE,"))
        .anyMatch(line -> line.contains(",UNSTABLE,"));
    assertThat(Double.parseDouble(lines.get(1).split(",", -1)[2]))
        .isCloseTo(1.25 / 4, within(0.01));
    assertThat(Double.parseDouble(lines.get(52).split(",", -1)[2])).isCloseTo(20, within(0.1));
    assertColours(ImageIO.read(plot.toFile()));
  }

  /** Unstable above, stable below, the slowest and so palest on the left; on white. */
  private static void assertColours(BufferedImage image) {
    Color corner = new Color(image.getRGB(1, 1));
    Color top = new Color(image.getRGB(95 + 70, 62 + 26));
    Color bottom = new Color(image.getRGB(95 + 3 * 78 + 70, 62 + 12 * 32 + 26));
    assertThat(corner).isEqualTo(Color.WHITE);
    assertThat(top.getRed()).isGreaterThan(top.getBlue() + 50);
    assertThat(bottom.getBlue()).isGreaterThan(bottom.getRed() + 20);
  }

  @Test
  void theNumberOfThreadsChangesNothing() throws IOException {
    double[][] f = new double[8][8];
    for (int i = 0; i < 64; i++) {
      f[i / 8][i % 8] = Math.sin(i * i + 1);
    }
    double[][] gram = new double[8][8];
    for (int i = 0; i < 512; i++) {
      gram[i / 64][i / 8 % 8] += f[i / 64][i % 8] * f[i / 8 % 8][i % 8];
    }
    Path file = folder.resolve("dense.npy");
    NpyFile.write(file, gram);
    JsonNode one = json("--gram=" + file, "--outputs=2", "--threads=1", "--seed=4");
    assertThat(json("--gram=" + file, "--outputs=2", "--threads=2", "--seed=4")).isEqualTo(one);
    assertThat(json("--gram=" + file, "--outputs=2", "--seed=5")).isNotEqualTo(one);
  }

  /** f = Wx with the loss |f − y|²: G = 2xxᵀ for each output; momentum is the model's. */
  @Test
  void aModelBringsItsMatrixAndMomentum() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Nesterovs(0.01, 0.5))
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.L2)
                        .nIn(1)
                        .nOut(2)
                        .hasBias(false)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    Path model = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, model.toFile(), true);
    Path x = folder.resolve("X.npy");
    Path y = folder.resolve("Y.npy");
    NpyFile.write(x, new double[][] {{1}, {2}});
    NpyFile.write(y, new double[][] {{1, 0}, {0, 1}});
    JsonNode sheet =
        json("--model=" + model, "--features=" + x, "--labels=" + y, "--batch-sizes=2")
            .get("sheets")
            .get(0);
    double curvature = 2 * (1 + 4) / 2.0;
    assertThat(edge(sheet)).isCloseTo(3 / (2 * curvature), within(1e-9));
    assertThat(sheet.get("momentum").textValue()).isEqualTo("Nesterov momentum 0.5");
  }

  @Test
  void whatCannotBeMeantIsRefusedAtOnce() throws IOException {
    String gram = "--gram=" + diagonal();
    assertRefused("give --gram or --model, got neither");
    assertRefused("give --gram or --model, got both", gram, "--model=x.zip");
    assertRefused(
        "--learning-rates must be finite and at least 0, got -1", gram, "--learning-rates=1,-1");
    assertRefused(
        "--batch-sizes must be 1 to the number of examples 4, got 5",
        gram,
        "--outputs=2",
        "--batch-sizes=5");
    assertRefused("--momentum must be at least 0 and below 1, got 1", gram, "--momentum=1");
    assertRefused("--outputs must divide the 8 rows", gram, "--outputs=3");
    assertRefused("--plot must end in .png", gram, "--plot=" + folder);
    assertRefused("--threads must be at least 1, got 0", gram, "--threads=0");
    assertRefused("--features and --labels must be given", "--model=x.zip");
    assertRefused("Invalid value", gram, "--learning-rates=a");
    Path zero = folder.resolve("zero.npy");
    NpyFile.write(zero, new double[2][2]);
    assertRefused("a Gram matrix must have a positive eigenvalue, got 0", "--gram=" + zero);
    String many = "1" + ",1".repeat(6);
    assertThat(Outcome.of("what-if", gram, "--learning-rates=" + many, "--batch-sizes=8").status())
        .isZero();
  }

  private static void assertRefused(String why, String... args) {
    List<String> all = new ArrayList<>(List.of("what-if"));
    all.addAll(List.of(args));
    Outcome outcome = Outcome.of(all.toArray(String[]::new));
    assertThat(outcome.err()).contains(why);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
  }
}
