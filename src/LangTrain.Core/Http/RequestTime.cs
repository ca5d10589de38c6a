using System.Globalization;

namespace LangTrain.Core.Http;

/// <summary>Reads moments as clients write them.</summary>
public static class RequestTime
{
    /// <summary>ISO 8601 (a day alone is its beginning; no zone is UTC), or seconds since 1970.</summary>
    public static bool TryParse(string text, out DateTimeOffset moment)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            moment = DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, 253402300799));
            return true;
        }

        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);
    }
}
