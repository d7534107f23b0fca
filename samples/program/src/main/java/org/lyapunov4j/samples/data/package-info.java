// SPDX-License-Identifier: Apache-2.0
/** The data sets that the samples train on. */
package org.lyapunov4j.samples.data;
