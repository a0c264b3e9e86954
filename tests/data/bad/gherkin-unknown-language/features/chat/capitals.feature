# language: gr
Funktionalität: Hauptstädte
  Szenario: Frankreich
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
