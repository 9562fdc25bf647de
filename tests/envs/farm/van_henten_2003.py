"""The greenhouse of Van Henten 2003 once more: one greenhouse, plain numbers. A yardstick for tests."""

from math import exp, pi, sin

CONSTANTS = {
    "c_ab": 0.544, "c_rd": 2.65e-7, "c_rc": 4.87e-7, "c_pl": 53.0, "c_rad": 3.55e-9, "c1": 5.11e-6, "c2": 2.3e-4,
    "c3": 6.29e-4, "c_G": 5.2e-5, "c_capc": 4.1, "c_caph": 4.1, "c_capq": 3e4, "c_cqv": 1290.0, "c_ai": 6.1,
    "c_rq": 0.2, "c_leak": 0.75e-4, "c_v": 3.6e-3, "c_v1": 9348.0, "c_v4": 10998.0, "c_v2": 17.4,
    "c_v3": 239.0, "c_R": 8314.0,
}  # fmt: skip


def change(state, controls, weather, **constants):
    """The derivative of (X_d, X_c, X_T, X_h)."""
    c = {**CONSTANTS, **constants}
    x_d, x_c, x_t, x_h = state
    u_c, u_v, u_q = controls
    v_rad, v_c, v_t, v_h = weather
    g = (-c["c1"] * x_t**2 + c["c2"] * x_t - c["c3"]) * (x_c - c["c_G"])
    closed = 1 - exp(-c["c_pl"] * x_d)
    phot = closed * c["c_rad"] * v_rad * g / (c["c_rad"] * v_rad + g)
    resp = x_d * 2 ** (0.1 * x_t - 2.5)
    pressure = c["c_v1"] / (c["c_R"] * (x_t + 273.15)) * exp(c["c_v2"] * x_t / (x_t + c["c_v3"]))
    trans = closed * c["c_v"] * (pressure - x_h)
    return (
        c["c_ab"] * phot - c["c_rd"] * resp,
        (-phot + c["c_rc"] * resp + u_c - (u_v + c["c_leak"]) * (x_c - v_c)) / c["c_capc"],
        (u_q - (c["c_cqv"] * u_v + c["c_ai"]) * (x_t - v_t) + c["c_rq"] * v_rad) / c["c_capq"],
        (trans - (u_v + c["c_leak"]) * (x_h - v_h)) / c["c_caph"],
    )


def relative_humidity(state, **constants):
    """In per cent."""
    c = {**CONSTANTS, **constants}
    x_t, x_h = state[2:]
    return 100 * x_h * c["c_R"] * (x_t + 273.15) / (c["c_v4"] * exp(c["c_v2"] * x_t / (x_t + c["c_v3"])))


def weather_at(hour):
    """A day of the same weather for ever: (V_rad, V_c, V_T, V_h)."""
    return max(0.0, 400 * sin(pi * (hour - 6) / 12)), 7e-4, 8 + 4 * sin(2 * pi * (hour - 8) / 24), 0.006


def rule(state, v_rad):
    """Controls of a simple rule."""
    clip = lambda x, low, high: min(max(x, low), high)  # noqa: E731
    supply = clip(4e-3 * (1.2e-3 - state[1]), 0, 1.2e-6) if v_rad > 0 else 0.0
    return supply, clip(1e-3 * (state[2] - 20), 0, 7.5e-3), clip(40 * (15 - state[2]), 0, 150)
