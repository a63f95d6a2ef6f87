//! Letters without their marks, as keys and names are compared.

/// Polish and other Latin letters without their diacritics; everything else as it is.
pub(super) fn fold(letter: char) -> char {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'ą' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'ć' | 'ç' | 'č' => 'c',
        'ę' | 'é' | 'è' | 'ê' | 'ë' | 'ě' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ł' => 'l',
        'ń' | 'ñ' | 'ň' => 'n',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ţ' | 'ț' | 'ť' => 't',
        'ő' => 'o',
        'ű' => 'u',
        'ú' | 'ù' | 'û' | 'ü' | 'ů' => 'u',
        'ğ' => 'g',
        'ı' => 'i',
        'ø' => 'o',
        'ý' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}
