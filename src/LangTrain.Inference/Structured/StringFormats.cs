namespace LangTrain.Inference.Structured;

/// <summary>Formats of strings as patterns. Each is at most as wide as its specification: what it lets through is valid.</summary>
internal static class StringFormats
{
    private const string Date = "[0-9]{4}-((01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])|(04|06|09|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
    private const string Time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private const string Octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

    private const string Clock = "T([0-9]{1,3}H([0-9]{1,2}M([0-9]{1,2}S)?)?|[0-9]{1,3}M([0-9]{1,2}S)?|[0-9]{1,4}S)";

    /// <summary>The pattern of a format; null where the format is not known.</summary>
    public static string? PatternOf(string format) => format switch
    {
        "date" => $"^{Date}$",
        "time" => $"^{Time}$",
        "date-time" => $"^{Date}T{Time}$",
        "uuid" => "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "ipv4" => $"^{Octet}(\\.{Octet}){{3}}$",
        "ipv6" => "^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$",
        "duration" => $"^P([0-9]{{1,3}}W|[0-9]{{1,4}}D({Clock})?|{Clock})$",
        "uri" => $"^https?://{Label}(\\.{Label}){{0,4}}(/[A-Za-z0-9._~-]{{1,32}}){{0,6}}/?$",
        "hostname" => $"^{Label}(\\.{Label}){{0,8}}$",
        "email" => $"^[A-Za-z0-9_+-]{{1,32}}(\\.[A-Za-z0-9_+-]{{1,16}}){{0,2}}@{Label}(\\.{Label}){{1,4}}$",
        _ => null,
    };
}
